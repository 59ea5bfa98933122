"""Numbers in documents are those of their json."""

import importlib
import json
from pathlib import Path

import pytest

from mmd2a.cli.tool_config import UsageError

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
TABLE = dict(
    title='Models',
    protocol='p',
    metrics=['MPJPE', 'ECE'],
    rows={'mean pose': dict(command='bash x', values=dict(MPJPE=390.394))},
)


@pytest.fixture
def tool(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT / 'tools' / 'analysis'))
    return importlib.import_module('write_tables')


@pytest.mark.parametrize('path', DOCUMENTS, ids=lambda path: path.name)
def test_tables_of_documents_are_those_of_their_json(tool, path):
    text = path.read_text()
    assert tool.rewritten(text, path.name) == text, (
        'python tools/analysis/write_tables.py'
    )


def test_a_row_is_added_and_drawn(tool, tmp_path, monkeypatch):
    (tmp_path / 'docs').mkdir()
    table, results = tmp_path / 'table.json', tmp_path / 'results.json'
    table.write_text(json.dumps(TABLE))
    results.write_text(json.dumps({'p/MPJPE': 100.04, 'ECE': 0.0123}))
    readme = tmp_path / 'README.md'
    readme.write_text(
        'a\n<!-- table: table.json -->\nold\n<!-- end of table -->\nb\n'
    )
    monkeypatch.setattr(tool, 'ROOT', tmp_path)
    monkeypatch.setattr(
        'sys.argv',
        f'x --add {table} --row ours --results {results} --command y'.split(),
    )
    tool.main()
    text = readme.read_text()
    assert '| mean pose | 390.4 | – |' in text
    assert '| ours | 100.0 | 0.0123 |' in text
    assert 'ours: `y` (commit' in text
    assert text.startswith('a\n') and text.endswith('\nb\n')
    assert 'old' not in text
    readme.write_text(text.replace('390.4', '390.3'))
    monkeypatch.setattr('sys.argv', ['x', '--check'])
    with pytest.raises(SystemExit):
        tool.main()
    results.write_text('{}')
    monkeypatch.setattr(
        'sys.argv',
        f'x --add {table} --row ours --results {results} --command y'.split(),
    )
    with pytest.raises(UsageError, match='has no MPJPE, ECE'):
        tool.main()


def test_a_table_without_an_end_is_told(tool):
    with pytest.raises(UsageError, match='end of table'):
        tool.rewritten('<!-- table: x.json -->\n', 'README.md')
