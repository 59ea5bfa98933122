"""The default model learns: it can fit a few people exactly enough."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFIG = 'configs/d2a_hmr_hrnet.py'


@pytest.mark.slow
@pytest.mark.parametrize('head', ['CoarseMeshHead', 'SMPLHead'])
def test_a_few_people_are_learnt_by_heart(head, tmp_path):
    """Train and evaluate on the same 48 people; 0.3 m is what a mesh that
    ignores the image gets on such people."""
    options = [
        f'model.head.type=mmd2a.{head}',
        'train_cfg.max_epochs=80',
        'train_cfg.val_interval=80',
        'custom_hooks=[]',
    ]
    for loader in ('train_dataloader', 'val_dataloader'):
        options += [
            f'{loader}.dataset.data_root={tmp_path / "people"}',
            f'{loader}.dataset.split=train',
            f'{loader}.dataset.num_people=48',
            f'{loader}.dataset.shard_size=24',
        ]
    options += [
        f'train_dataloader.dataset.pipeline.1.{name}=0'
        for name in ('scale_jitter', 'shift_jitter', 'flip_prob')
    ]
    subprocess.run(
        [
            sys.executable,
            'tools/train.py',
            CONFIG,
            '--work-dir',
            str(tmp_path),
            '--cfg-options',
            *options,
        ],
        cwd=ROOT,
        check=True,
        timeout=1200,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
    )
    scalars = next(tmp_path.rglob('scalars.json')).read_text().splitlines()
    results = [json.loads(line) for line in scalars]
    errors = [
        line['synthetic_h36m14/MPJPE']
        for line in results
        if 'synthetic_h36m14/MPJPE' in line
    ]
    assert errors[-1] < 150
