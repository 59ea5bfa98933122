"""From the json of a calibration to its figure and its page."""

import importlib.util
import json
from pathlib import Path

import pytest

from mmd2a.files import read_json

ROOT = Path(__file__).parents[2]
PAGE, RESULTS = ROOT / 'docs/calibration.md', ROOT / 'docs/calibration.json'


@pytest.fixture(scope='module')
def tool():
    path = ROOT / 'tools/analysis/draw_calibration.py'
    spec = importlib.util.spec_from_file_location('draw_calibration', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_has_the_numbers_of_its_json(tool):
    results = tool.read_results(str(RESULTS))
    assert tool.with_numbers(PAGE.read_text(), results) == PAGE.read_text()
    results['metrics']['ECE'] += 0.1
    assert tool.with_numbers(PAGE.read_text(), results) != PAGE.read_text()


def test_figure_and_page_are_written_from_the_json(run_tool, tmp_path):
    page = tmp_path / 'page.md'
    page.write_text(
        'a\n<!-- numbers: begin -->\nold\n<!-- numbers: end -->\nz\n'
    )
    run_tool(
        'analysis/draw_calibration.py',
        RESULTS,
        '--figure',
        'figure.png',
        '--page',
        page,
    )
    text = page.read_text()
    assert text.startswith('a\n') and text.endswith('\nz\n')
    ece = read_json(RESULTS)['metrics']['ECE']
    assert f'| ECE | {ece:.3f} |' in text and 'old' not in text
    assert (tmp_path / 'figure.png').read_bytes()[:4] == b'\x89PNG'


def test_other_json_is_refused(run_tool, tmp_path):
    (tmp_path / 'other.json').write_text(json.dumps(dict(metrics={})))
    done = run_tool(
        'analysis/draw_calibration.py',
        'other.json',
        '--figure',
        'figure.png',
        ok=False,
    )
    assert 'outfile_prefix' in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
