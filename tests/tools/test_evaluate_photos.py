"""The tool that evaluates on photographs, on the session itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WHEEL = ROOT / 'data/pose2sim/pose2sim-0.6.0-py3-none-any.whl'
ESTIMATOR = """
import numpy as np

def lower_is_nearer(picture):
    assert picture.dtype == np.uint8 and picture.ndim == 3
    rows = np.arange(len(picture), dtype=np.float32)[:, None]
    return np.broadcast_to(rows, picture.shape[:2])
"""


@pytest.mark.slow
@pytest.mark.skipif(not WHEEL.exists(), reason=f'there is no {WHEEL}')
def test_a_model_is_measured_on_the_session(tmp_path):
    config = ROOT / 'configs/d2a_hmr_hrnet.py'
    options = [
        '--cfg-options',
        'train_cfg.max_epochs=1',
        'model.data_preprocessor.depth_normalization.mode=affine',
    ]
    for split in ('train', 'val'):
        loader = f'{split}_dataloader'
        options += [
            f'{loader}.batch_size=4',
            f'{loader}.dataset.num_people=8',
            f'{loader}.dataset.shard_size=8',
            f'{loader}.dataset.image_size=96',
        ]

    def run(tool, *arguments):
        subprocess.run(
            [sys.executable, ROOT / 'tools' / tool, config, *arguments]
            + options,
            cwd=tmp_path,
            check=True,
            timeout=500,
            env={**os.environ, 'PYTHONPATH': f'{ROOT}:{tmp_path}'},
        )

    run('train.py', '--work-dir', 'run')
    (tmp_path / 'data/pose2sim').mkdir(parents=True)
    (tmp_path / 'data/pose2sim' / WHEEL.name).symlink_to(WHEEL)
    (tmp_path / 'mine.py').write_text(ESTIMATOR)
    results = {}
    for depth in ([], ['--depth', 'mine:lower_is_nearer']):
        run(
            'analysis/evaluate_photos.py',
            'run/epoch_1.pth',
            '--every',
            '25',
            '--out',
            'photos.json',
            '--sheet',
            'photos.png',
            '--num',
            '2',
            *depth,
        )
        results[bool(depth)] = json.loads(
            (tmp_path / 'photos.json').read_text()
        )
    for result in results.values():
        assert 'one subject' in result['note']
        assert result['metrics']['PA-MPJPE']['value'] < 500
        # A mean pose, of whoever, is no farther off than this.
        assert 80 < result['mean_pose']['PA-MPJPE']['value'] < 300
        assert set(result['by_camera']) == {'cam01', 'cam02', 'cam04'}
    assert results[True]['metrics'] != results[False]['metrics']
    maps = list((tmp_path / 'data/pose2sim/depth').rglob('*.npy'))
    assert len(maps) == 12
    assert (tmp_path / 'photos.png').exists()
