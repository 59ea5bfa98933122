"""Imports go one way: a part knows only floors below its own."""

import ast
from importlib.util import resolve_name
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / 'mmd2a'
FLOORS = {
    0: {
        'depth',
        'files',
        'geometry',
        'import_hooks',
        'moved',
        'registry',
        'requirements',
        'structures',
        'version',
    },
    1: {'body_models'},
    2: {'engine', 'evaluation', 'people', 'visualization'},
    3: {'datasets', 'models', 'weights'},
    4: {'apis', 'interop', 'mixing', 'utils'},
    5: {'viewer'},
    6: {'cli'},
}
FLOOR = {part: floor for floor, parts in FLOORS.items() for part in parts}
PARTS = sorted(
    {
        path.relative_to(PACKAGE).parts[0].removesuffix('.py')
        for path in PACKAGE.rglob('*.py')
    }
    - {'__init__'}
)


def imported_parts(node: ast.AST, package: str) -> set[str]:
    """Parts of this package that code of ``package`` imports."""
    modules: list[str] = []
    if isinstance(node, ast.ImportFrom):
        name = '.' * node.level + (node.module or '')
        module = resolve_name(name, package) if node.level else name
        modules = [f'{module}.{alias.name}' for alias in node.names]
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    found = {
        module.split('.')[1]
        for module in modules
        if module.startswith('mmd2a.')
    } & set(FLOOR)
    return found.union(
        *(
            imported_parts(child, package)
            for child in ast.iter_child_nodes(node)
        )
    )


def parts_of(file: Path) -> set[str]:
    """Parts that a file of this package imports."""
    package = '.'.join(file.relative_to(PACKAGE.parent).parent.parts)
    return imported_parts(ast.parse(file.read_text()), package)


@pytest.mark.parametrize('part', PARTS)
def test_a_part_imports_only_from_floors_below(part):
    files = (
        [PACKAGE / f'{part}.py']
        if (PACKAGE / f'{part}.py').exists()
        else sorted((PACKAGE / part).rglob('*.py'))
    )
    above = {
        f'{file.relative_to(PACKAGE)} imports {other}'
        for file in files
        for other in parts_of(file) - {part}
        if FLOOR[other] >= FLOOR[part]
    }
    assert not above


def test_relative_imports_are_seen(tmp_path):
    code = ast.parse('from ..models import losses\nfrom .. import datasets')
    assert imported_parts(code, 'mmd2a.geometry') == {'models', 'datasets'}


def test_a_long_file_says_why():
    long = [
        path
        for folder in ('mmd2a', 'tools', 'tests', 'configs')
        for path in (PACKAGE.parent / folder).rglob('*.py')
        if len(lines := path.read_text().splitlines()) > 350
        and 'Over 350 lines' not in '\n'.join(lines[:20])
    ]
    assert not long
