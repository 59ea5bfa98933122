"""What the README and the pages show is run as it stands."""

import argparse
import re
import shlex
from pathlib import Path

import pytest
from mmengine.config import Config, DictAction
from mmengine.registry import DefaultScope

from mmd2a.registry import MODELS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / 'README.md',
    ROOT / 'CONTRIBUTING.md',
    *sorted((ROOT / 'docs').rglob('*.md')),
]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(
        rf'^```{language}\n(.*?)^```', page.read_text(), re.M | re.S
    )


@pytest.mark.parametrize(
    'page', PAGES, ids=lambda page: str(page.relative_to(ROOT))
)
def test_python_of_the_page_runs(page, tmp_path, monkeypatch):
    snippets = blocks(page, 'python')
    if not snippets:
        pytest.skip('no python on this page')
    monkeypatch.chdir(ROOT)
    # A page is read top to bottom: later snippets see earlier names.
    namespace: dict = {'__name__': '__page__'}
    for number, snippet in enumerate(snippets):
        exec(compile(snippet, f'{page.name}[{number}]', 'exec'), namespace)


@pytest.mark.parametrize(
    'page', PAGES, ids=lambda page: str(page.relative_to(ROOT))
)
def test_files_the_page_names_exist(page):
    text = page.read_text()
    # Ours: not those below a folder of somebody else's.
    named = set(
        re.findall(r'(?<!/)(?:tools|configs)/[\w./-]+\.(?:py|sh)', text)
    )
    named |= {
        str((page.parent / target).resolve().relative_to(ROOT))
        for target in re.findall(r'\]\((?!https?:|#)([^)#]+)', text)
    }
    missing = [name for name in sorted(named) if not (ROOT / name).exists()]
    assert not missing


def test_the_index_names_every_page():
    index = (ROOT / 'docs' / 'index.md').read_text()
    linked = set(re.findall(r'\]\(([\w.]+\.md)\)', index))
    pages = {page.name for page in (ROOT / 'docs').glob('*.md')}
    assert linked == pages - {'index.md'}


def test_the_house_page_names_every_room():
    house = (ROOT / 'docs' / 'house.md').read_text()
    rooms = {
        path.parent.name for path in (ROOT / 'mmd2a').glob('*/__init__.py')
    }
    assert {room for room in rooms if f'`{room}`' not in house} == set()


def test_the_readme_shows_both_commands():
    shell = '\n'.join(blocks(ROOT / 'README.md', 'bash'))
    assert 'bash tools/quickstart.sh' in shell
    assert 'bash tools/run_tests.sh' in shell


def commands(tool: str) -> list[list[str]]:
    """The documented calls of a tool, as argument lists."""
    lines = [
        line
        for page in PAGES
        for block in blocks(page, 'bash')
        for line in block.replace('\\\n', ' ').splitlines()
    ]
    return [
        shlex.split(line, comments=True)[2:]
        for line in lines
        if line.startswith(f'python {tool} ')
    ]


@pytest.mark.parametrize(
    'arguments',
    [
        arguments
        for arguments in commands('tools/train.py')
        if any('model.' in argument for argument in arguments)
    ],
    ids=lambda arguments: arguments[-1],
)
def test_documented_ablations_build(arguments):
    pytest.importorskip('mmpose')
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    parser.add_argument('--work-dir', required=True)
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    args = parser.parse_args(arguments)
    cfg = Config.fromfile(ROOT / args.config)
    cfg.merge_from_dict(args.cfg_options)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        default = MODELS.build(Config.fromfile(ROOT / args.config).model)
        assert str(MODELS.build(cfg.model)) != str(default)
