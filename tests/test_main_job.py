"""The main job in small: people, training, evaluation by 1, 2 and 3 processes,
a sheet, the comparison; all through the tools, in real processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
CONFIG = 'configs/d2a_hmr_hrnet.py'
# 7 people: neither 2 nor 3 ranks get equal shares.
COUNTS = dict(train=8, val=3, test=7)


def run(*command, **env):
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=300,
        env={
            **os.environ,
            'PYTHON': sys.executable,
            'OMP_NUM_THREADS': '1',
            **env,
        },
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.fixture(scope='module')
def job(tmp_path_factory):
    """Options, work folder and checkpoint of a finished small training."""
    pytest.importorskip('mmpose')
    folder = tmp_path_factory.mktemp('job')
    options = ['--cfg-options', 'train_cfg.max_epochs=1']
    for split, count in COUNTS.items():
        loader = f'{split}_dataloader'
        options += [
            f'{loader}.num_workers=0',
            f'{loader}.batch_size=4',
            f'{loader}.dataset.data_root={folder / "people"}',
            f'{loader}.dataset.num_people={count}',
            f'{loader}.dataset.shard_size=8',
            f'{loader}.dataset.image_size=96',
        ]
    options += [
        f'{split}_dataloader.persistent_workers=False'
        for split in ('val', 'test')
    ]
    run(
        sys.executable,
        'tools/data/make_synthetic_people.py',
        '--config',
        CONFIG,
        *options,
    )
    log = run(
        sys.executable,
        'tools/train.py',
        CONFIG,
        '--work-dir',
        folder,
        *options,
    )
    return dict(
        folder=folder,
        options=options,
        log=log,
        checkpoint=(folder / 'last_checkpoint').read_text(),
    )


def test_training_saves_a_checkpoint_anyone_can_read(job):
    checkpoint = torch.load(job['checkpoint'], weights_only=True)
    assert checkpoint['meta']['epoch'] == 1
    assert 'synthetic_h36m14/MPJPE' in job['log']


def test_validation_leaves_pictures_and_tensorboard_files(job):
    assert list(job['folder'].rglob('events.out.tfevents*'))
    assert list(job['folder'].rglob('val_people*.png'))


def test_any_number_of_ranks_prints_the_same_digits(job):
    results = []
    for ranks in (1, 2, 3):
        out = job['folder'] / f'results_{ranks}.json'
        tail = ['--work-dir', job['folder'], '--out', out, *job['options']]
        if ranks == 1:
            run(
                sys.executable,
                'tools/test.py',
                CONFIG,
                job['checkpoint'],
                *tail,
            )
        else:
            run(
                'bash',
                'tools/dist_test.sh',
                CONFIG,
                job['checkpoint'],
                ranks,
                *tail,
            )
        results.append(json.loads(out.read_text()))
    assert results[0]['synthetic_h36m14/num_samples'] == COUNTS['test']
    assert results[0] == results[1] == results[2]


def test_the_sheet_is_drawn(job):
    out = job['folder'] / 'sheet.png'
    run(
        sys.executable,
        'tools/analysis/draw_sheet.py',
        CONFIG,
        job['checkpoint'],
        '--out',
        out,
        '--num',
        2,
        *job['options'],
    )
    assert cv2.imread(str(out)).std() > 0


def test_the_comparison_names_its_protocol(job):
    results = job['folder'] / 'results.json'
    results.write_text(
        json.dumps(
            {
                f'synthetic_h36m14/{name}': 100.0
                for name in (
                    'MPJPE',
                    'PA-MPJPE',
                    'PVE',
                    'MPJPE-z',
                    'PA-MPJPE-z',
                )
            }
        )
    )
    table = run(
        sys.executable,
        'tools/analysis/compare_with_mean_pose.py',
        CONFIG,
        results,
        *job['options'],
    )
    assert 'protocol synthetic_h36m14' in table
    assert 'mean-pose predictor' in table
