"""The table in docs/mmhuman3d.md is what its tool prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
TOOL = REPOSITORY / 'tools' / 'analysis' / 'list_mmhuman3d_configs.py'
CHECKOUT = os.environ.get('MMHUMAN3D_ROOT')
HEADER = '| config | comes to | what is missing |'
REACHED = {
    'not read',
    'read',
    'translated',
    'model builds',
    'model and data build',
    'no training',
    '**trains**',
}


@pytest.fixture
def table():
    """Rows of the page, header first."""
    page = (REPOSITORY / 'docs' / 'mmhuman3d.md').read_text()
    start = page.index(HEADER)
    return page[start:].split('\n\n')[0].strip().splitlines()


def test_every_row_tells_how_far_a_config_comes_and_why(table):
    assert table[:2] == [HEADER, '|---|---|---|']
    rows = [re.split(r' *\| *', row.strip('| ')) for row in table[2:]]
    names = [row[0] for row in rows]
    assert names == sorted(set(names)) and len(names) >= 30
    for name, reached, *why in rows:
        assert name.endswith('.py') and reached in REACHED, name
        # What does not train says what is missing, and only that.
        assert bool(why) == (reached != '**trains**'), name
        assert len(why) <= 1, name
    trained = [name for name, reached, *_ in rows if reached == '**trains**']
    families = {name.split('/')[0] for name in trained}
    assert families >= {'cliff', 'hmr', 'hybrik', 'pare', 'spin', 'vibe'}


@pytest.mark.skipif(CHECKOUT is None, reason='MMHUMAN3D_ROOT is not set')
def test_the_rows_are_the_configs_of_the_checkout(table):
    configs = Path(CHECKOUT) / 'configs'
    names = [
        str(path.relative_to(configs))
        for path in sorted(configs.rglob('*.py'))
        if '_base_' not in path.relative_to(configs).parts
    ]
    assert [row.split('|')[1].strip() for row in table[2:]] == names


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(CHECKOUT is None, reason='MMHUMAN3D_ROOT is not set')
def test_the_page_has_what_the_tool_prints(table, data_here):
    printed = subprocess.run(
        [sys.executable, TOOL, Path(CHECKOUT).resolve()],
        cwd=data_here,
        capture_output=True,
        text=True,
    )
    assert printed.returncode == 0, printed.stderr[-2000:]
    assert printed.stdout.strip().splitlines() == table
