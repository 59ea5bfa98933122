"""A small model that was trained, evaluated and exported as users do."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = 'configs/d2a_hmr/d2a_hmr_hrnet.py'
MODEL = ['model.encoder.depth=1']
CARD = """
licence: Apache-2.0
training_data:
  - {name: SyntheticPeople, licence: Apache-2.0, what: 8 people}
recipe: {command: python tools/train.py, commit: c0ffee}
limits: [it has seen eight people]
"""
NAME = 'tiny'
# Tools one after the other in one process: most of the time of a short run is
# the imports. What ends with an error is told, and the next one goes on.
IN_A_ROW = """
import json, runpy, sys
told = []
for number, command in enumerate(json.loads(sys.argv[1])):
    sys.argv = command
    try:
        runpy.run_path(command[0], run_name='__main__')
        told.append('')
    except SystemExit as end:
        told.append(str(end.code))
print(json.dumps(told))
"""


def _options(number, *changes):
    options = ['train_cfg.max_epochs=1', f'experiment_name=run{number}']
    for split, count in (('train', 8), ('val', 4), ('test', 4)):
        options += [
            f'{split}_dataloader.batch_size=4',
            f'{split}_dataloader.dataset.num_people={count}',
            f'{split}_dataloader.dataset.shard_size=8',
            f'{split}_dataloader.dataset.image_size=96',
        ]
    return ['--cfg-options', *options, *changes]


@pytest.fixture(scope='session')
def exported(tmp_path_factory):
    """Checkpoint, results and a folder of weights made of them."""
    pytest.importorskip('mmpose')
    folder = tmp_path_factory.mktemp('exported')
    (folder / 'card.yml').write_text(CARD)
    train, test, export = (
        f'{ROOT}/tools/{tool}.py'
        for tool in ('train', 'test', 'weights/export_weights')
    )
    config = f'{ROOT}/{CONFIG}'
    checkpoint = 'run/epoch_1.pth'
    papers = ['--folder', 'weights', '--card', 'card.yml']
    measured = []
    for what in ('results', 'errors'):
        measured += [f'--{what}', f'test={what}.json']
    errors = 'test_evaluator.outfile_prefix=errors'
    made = ['--cfg-options', *MODEL]
    told = subprocess.run(
        [
            sys.executable,
            '-c',
            IN_A_ROW,
            json.dumps(
                [
                    [train, config, '--work-dir', 'run', *_options(0, *MODEL)],
                    [test, config, checkpoint, '--out', 'results.json']
                    + _options(1, *MODEL, errors),
                    [export, config, checkpoint, NAME, *papers, *measured]
                    + made,
                    [export, config, checkpoint, 'start', *papers]
                    + ['--parts', 'backbone', 'patch_embedding', *made],
                    [test, config, NAME, '--out', 'by_name.json']
                    + _options(2, *MODEL),
                    [test, config, NAME, *_options(3)],
                ]
            ),
        ],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
        env={
            **os.environ,
            'OMP_NUM_THREADS': '1',
            'PYTHONPATH': str(ROOT),
            'CUDA_VISIBLE_DEVICES': '',
            'PYTHONWARNINGS': 'ignore',
            'MMD2A_WEIGHTS': 'weights',
        },
    ).stdout.splitlines()[-1]
    *done, refused = json.loads(told)
    assert not any(done), done
    return SimpleNamespace(
        folder=folder,
        weights=folder / 'weights',
        checkpoint=folder / checkpoint,
        refused=refused,
    )


@pytest.fixture
def shipped(exported, monkeypatch):
    """The exported weights, found by their name."""
    monkeypatch.setenv('MMD2A_WEIGHTS', str(exported.weights))
    return exported
