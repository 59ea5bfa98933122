"""The model that ships is drawn and compared with, found by itself."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from mmd2a.cli.shipped import require_shipped_model, shipped_model
from mmd2a.cli.tool_config import UsageError

ROOT = Path(__file__).parents[2]


def test_the_first_whole_model_is_found(shipped, monkeypatch):
    entry = require_shipped_model('tiny')
    # Those of the package come first.
    assert shipped_model().name in ('tiny', require_shipped_model(None).name)
    assert require_shipped_model(entry.address) == entry
    with pytest.raises(UsageError, match='initial weights'):
        require_shipped_model('start')
    with pytest.raises(UsageError, match='no weights mmd2a://other'):
        require_shipped_model('other')


def test_it_draws_people_that_are_made_then(exported, tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / 'tools/analysis/draw_shipped.py']
        + ['--weights', 'tiny', '--num', '2', '--out', 'sheet.png']
        + ['--data-root', 'people', '--brief', 'log'],
        cwd=tmp_path,
        env={
            **os.environ,
            'OMP_NUM_THREADS': '1',
            'PYTHONPATH': str(ROOT),
            'CUDA_VISIBLE_DEVICES': '',
            'MMD2A_WEIGHTS': str(exported.weights),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    number = 2 + (ROOT / 'docs/images/balancing.json').exists()
    assert done.stdout == f'mmd2a://tiny sees {number} people: sheet.png\n'
    sheet = cv2.imread(str(tmp_path / 'sheet.png'))
    # A row each.
    assert sheet.shape[0] > 224 * number and sheet.std() > 0
    assert len(list((tmp_path / 'people').glob('test_*/shard_*'))) == 1


def test_its_row_stands_beside_that_of_a_training(shipped):
    path = str(ROOT / 'tools/analysis/compare_with_mean_pose.py')
    tool = runpy.run_path(path)
    row = tool['shipped_results']('tiny')
    constant = {'mean-pose predictor': dict.fromkeys(row, 200.0)}
    now = dict.fromkeys(row, 100.0)
    text = tool['table'](dict(shipped=row) | {'trained now': now}, constant)
    rows = {line[:34].strip(): line[34:].split() for line in text.split('\n')}
    assert list(rows)[2:] == [
        'mean-pose predictor',
        'shipped',
        'trained now',
        'shipped - mean-pose predictor',
        'trained now - mean-pose predictor',
    ]
    expected = f'{row["synthetic_h36m14/MPJPE"]:.2f}'
    assert rows['shipped'][0] == expected
    assert set(rows['trained now - mean-pose predictor']) == {'-50.0%'}
