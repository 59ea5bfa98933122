"""Imports go one way: a part knows only floors below its own."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / 'mmd2a'
FLOORS = {
    0: {'registry', 'geometry', 'structures', 'requirements', 'version'},
    1: {'body_models', 'depth', 'evaluation', 'visualization', 'engine'},
    2: {'models', 'datasets'},
    3: {'apis', 'collect_env', 'configs', 'interop', 'utils'},
}
FLOOR = {part: floor for floor, parts in FLOORS.items() for part in parts}
PARTS = sorted(
    {
        path.relative_to(PACKAGE).parts[0].removesuffix('.py')
        for path in PACKAGE.rglob('*.py')
    }
    - {'__init__'}
)


def imported_parts(node: ast.AST) -> set[str]:
    """Parts of this package that code imports when it runs."""
    if isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.dump(node.test):
        return set()
    found: set[str] = set()
    if (
        isinstance(node, ast.ImportFrom)
        and node.level == 0
        and (node.module or '').startswith('mmd2a.')
    ):
        found.add(node.module.split('.')[1])
    if isinstance(node, ast.Import):
        found |= {
            alias.name.split('.')[1]
            for alias in node.names
            if alias.name.startswith('mmd2a.')
        }
    return found.union(*map(imported_parts, ast.iter_child_nodes(node)))


@pytest.mark.parametrize('part', PARTS)
def test_a_part_imports_only_from_floors_below(part):
    files = (
        [PACKAGE / f'{part}.py']
        if (PACKAGE / f'{part}.py').exists()
        else sorted((PACKAGE / part).rglob('*.py'))
    )
    found = set().union(
        *(imported_parts(ast.parse(file.read_text())) for file in files)
    )
    assert all(FLOOR[other] < FLOOR[part] for other in found - {part})
