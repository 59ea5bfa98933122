"""Tables of ablations: run by the tools, compared seed by seed."""

import importlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from scipy import stats

from mmd2a.cli.tool_config import UsageError

ROOT = Path(__file__).parents[2]
ANALYSIS = ROOT / 'tools' / 'analysis'
TABLES = sorted((ANALYSIS / 'tables').glob('*.py'))
TOY = """
title = 'Toy'
config = 'tests/toy_project/toy_config.py'
metrics = ['error']
rows = {'as it is': {}, 'slower, or not': {'optim_wrapper.optimizer.lr': LR}}
"""


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tests' / 'toy_project'))
    monkeypatch.syspath_prepend(str(ANALYSIS))
    return importlib.import_module('ablate')


@pytest.fixture
def report_of(monkeypatch):
    monkeypatch.syspath_prepend(str(ANALYSIS))
    return importlib.import_module('ablation_report')


@pytest.mark.parametrize('table', TABLES, ids=lambda path: path.stem)
def test_every_row_of_every_table_is_a_config(tool, table):
    """And no two rows are the same."""
    table = tool.read_table(str(table))
    texts = {tool.config_of(table, row).pretty_text for row in table.rows}
    assert len(texts) == len(table.rows) > 1


@pytest.mark.slow
def test_a_table_is_run_once_and_goes_on(run_tool, tmp_path):
    """Rows differ by their options; what is finished is not done again."""
    table = tmp_path / 'toy.py'
    table.write_text(TOY.replace('LR', '0.001'))
    command = ('analysis/ablate.py', table, '--seeds', '3', '--jobs', '2')
    printed = run_tool(*command, '--work-dir', tmp_path / 'out').stdout
    assert '| as it is |' in printed
    assert '| slower, or not |' in printed
    out = tmp_path / 'out' / 'toy'
    report = json.loads((out / 'table.json').read_text())
    errors = [row['seeds']['3']['error'] for row in report['rows'].values()]
    assert errors[0] != errors[1]
    assert all(
        row['seeds']['3']['seconds_per_step'] > 0
        for row in report['rows'].values()
    )
    finished = out / 'as_it_is' / 'seed3' / 'results.json'
    before = finished.stat().st_mtime_ns
    again = run_tool(*command, '--work-dir', tmp_path / 'out').stdout
    assert again == printed
    assert finished.stat().st_mtime_ns == before


def test_a_run_of_other_options_is_refused(tool, tmp_path):
    table = tmp_path / 'toy.py'
    table.write_text(TOY.replace('LR', '0.001'))
    prepared = tool.prepare(tool.read_table(str(table)), [0, 1], tmp_path, {})
    assert [(run.row, run.seed) for run in prepared] == [
        ('as it is', 0),
        ('as it is', 1),
        ('slower, or not', 0),
        ('slower, or not', 1),
    ]
    assert Config.fromfile(prepared[3].config).randomness == dict(seed=1)
    table.write_text(TOY.replace('LR', '0.002'))
    with pytest.raises(UsageError, match='slower_or_not/seed0 .*other opt'):
        tool.prepare(tool.read_table(str(table)), [0], tmp_path, {})


def test_a_row_starts_from_a_config_of_its_own(tool, tmp_path):
    """It has what all rows have in common; its own options come last."""
    other = tmp_path / 'other.py'
    other.write_text(
        f'_base_ = {str(ROOT / "tests/toy_project/toy_config.py")!r}\n'
        'log_level = "ERROR"\n'
    )
    table = tmp_path / 'toy.py'
    table.write_text(
        TOY.replace('LR', '0.001')
        + "common = {'train_cfg.max_epochs': 3, 'default_scope': 'mmengine'}\n"
        + f"rows['other'] = {{'config': {str(other)!r}, "
        "'train_cfg.max_epochs': 4}\n"
    )
    read = tool.read_table(str(table))
    first, _, last = (tool.config_of(read, row) for row in read.rows)
    assert (first.get('log_level'), last.log_level) == (None, 'ERROR')
    assert first.train_cfg.max_epochs == 3
    assert last.train_cfg.max_epochs == 4
    assert 'config' not in last


def test_rows_of_different_protocols_are_not_compared(tool, tmp_path):
    table = tmp_path / 'toy.py'
    table.write_text(TOY.replace('LR', '0.001'))
    read = tool.read_table(str(table))
    runs = tool.prepare(read, [0], tmp_path, {})
    log = dict(loss=1.0, step=1, time=0.1)
    for run, protocol in zip(runs, ('a', 'b')):
        run.results.write_text(json.dumps({f'{protocol}/error': 1.0}))
        scalars = run.folder / '0' / 'vis_data' / 'scalars.json'
        scalars.parent.mkdir(parents=True)
        scalars.write_text(json.dumps(log))
    with pytest.raises(UsageError, match='different protocols .*: a, b'):
        tool.collect(read, runs)
    runs[1].results.write_text(json.dumps({'a/error': 2.0}))
    report = tool.collect(read, runs)
    assert report['protocol'] == 'a'
    assert report['rows']['as it is']['config'] == read.config


def test_of_several_protocols_the_first_has_the_short_names(tool):
    results = {'all/MPJPE': 2.0, 'hidden/MPJPE': 3.0, '2d/median': 1.0}
    assert tool.by_name(results) == {**results, 'MPJPE': 2.0, 'median': 1.0}


def test_a_table_without_rows_says_so(tool, tmp_path):
    table = tmp_path / 'empty.py'
    table.write_text("title = 'nothing'\n")
    with pytest.raises(UsageError, match='has no config, metrics, rows'):
        tool.read_table(str(table))


def test_differences_are_paired_by_seed(report_of):
    """The interval is that of the paired t-test."""
    rng = np.random.default_rng(0)
    seeds = rng.normal(200, 20, 5)
    row = seeds - rng.normal(8, 2, 5)
    mean, half = report_of.mean_and_half_width(list(row - seeds))
    interval = stats.ttest_rel(row, seeds).confidence_interval(0.95)
    assert math.isclose(mean - half, interval.low)
    assert math.isclose(mean + half, interval.high)
    report = dict(
        title='T',
        config='c',
        protocol='p',
        metrics=['MPJPE'],
        commit='0',
        machine='m',
        steps=1,
        rows=dict(
            a=dict(seeds={str(i): dict(MPJPE=v) for i, v in enumerate(seeds)}),
            b=dict(
                config='other.py',
                seeds={str(i): dict(MPJPE=v) for i, v in enumerate(row)},
            ),
        ),
    )
    text = report_of.as_markdown(report)
    assert text.endswith('Of configs of their own: "b" from other.py.')
    assert f'| b | {row.mean():.1f} ({mean:+.1f} ± {half:.1f}) |' in text


def test_one_seed_has_no_interval(report_of):
    assert math.isnan(report_of.mean_and_half_width([3.0])[1])


def test_groups_are_tables_of_the_rows_that_have_them(report_of):
    """A share has its digits, and a row without a metric is left out."""
    report = dict(
        title='Views',
        config='c.py',
        protocol='p',
        steps=1,
        commit='abc',
        machine='m',
        metrics={'All': ['MPJPE'], 'From aside': ['views/IoU', 'x/IoU']},
        rows={
            'plain': dict(seeds={'0': dict(MPJPE=90.0)}),
            'imagined': dict(
                seeds={'0': {'MPJPE': 80.0, 'views/IoU': 0.5512}}
            ),
        },
    )
    text = report_of.as_markdown(report)
    everyone, aside = text.split('From aside:')
    assert 'All:' in everyone and '| imagined | 80.0 (-10.0) |' in everyone
    assert '| imagined | 0.551 | – |' in aside
    assert '| | views/IoU | x/IoU |' in aside and '| plain' not in aside
