"""The configs of MMHuman3D's repository, unchanged, from start to end.

    MMHUMAN3D_ROOT=path/to/mmhuman3d python -m pytest -m slow \
        tests/interop/mmhuman3d/test_training_of_mmhuman3d_configs.py

takes its configs from a checkout of MMHuman3D, which the package on PyPI does
not hold. Each is trained for 50 steps or more on free stand-ins for body and
data, killed, resumed and evaluated. Options set sizes only, and leave out
weights that would be downloaded.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip('mmhuman3d')

ROOT = os.environ.get('MMHUMAN3D_ROOT')
TOOLS = Path(__file__).parents[4] / 'tools'
SIZES = [
    'data.samples_per_gpu=2',
    'data.workers_per_gpu=1',
    'checkpoint_config.interval=1',
    'evaluation.interval=1',
    'log_config.interval=1',
]
# 52: MMHuman3D's SPIN cannot train on a batch of one, which an odd number of
# people would leave to a rank at the end of an epoch.
CONFIGS = {
    'hmr/resnet50_hmr_pw3d.py': ['model.backbone.init_cfg=None'],
    'spin/resnet50_spin_pw3d.py': ['data.train.num_data=52'],
    'pare/hrnet_w32_conv_pare_mix.py': [],
    'cliff/resnet50_pw3d_cache.py': [],
    'hybrik/resnet34_hybrik_mixed.py': ['model.backbone.init_cfg=None'],
    'vibe/resnet50_vibe_pw3d.py': ['data.train.num_data=52'],
}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(ROOT is None, reason='MMHUMAN3D_ROOT is not set'),
    pytest.mark.parametrize('name', CONFIGS),
]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Where ``data/`` is, with enough people for 50 steps in two epochs."""
    from mmhuman3d_stand_ins import make_stand_ins

    folder = tmp_path_factory.mktemp('acceptance')
    make_stand_ins(folder / 'data', num_people=64, image_size=256)
    return folder


@pytest.fixture
def command(folder, name):
    """``command(tool, *arguments) -> keywords of subprocess``."""
    if 'vibe' in name:
        pytest.importorskip('skimage')

    def make(tool, *arguments, options=()):
        start = ['bash'] if tool.endswith('.sh') else [sys.executable]
        config = Path(ROOT).resolve() / 'configs' / name
        return dict(
            args=[
                *start,
                str(TOOLS / tool),
                str(config),
                *arguments,
                '--cfg-options',
                *SIZES,
                *CONFIGS[name],
                *options,
            ],
            cwd=folder,
            text=True,
            env={
                **os.environ,
                'PYTHON': sys.executable,
                'OMP_NUM_THREADS': os.environ.get('OMP_NUM_THREADS', '1'),
            },
        )

    return make


def run(keywords):
    done = subprocess.run(**keywords, capture_output=True, timeout=3000)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def logged(work_dir):
    """What a work folder's runs logged, in order."""
    files = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))
    return [
        json.loads(line)
        for file in files
        for line in file.read_text().splitlines()
    ]


def test_it_trains_is_killed_resumes_and_evaluates(command, folder, name):
    work_dir = folder / Path(name).stem
    keywords = command(
        'train.py',
        '--work-dir',
        str(work_dir),
        options=['runner.max_epochs=2'],
    )
    with open(folder / 'killed.log', 'w') as log:
        process = subprocess.Popen(**keywords, stdout=log, stderr=log)
        while not any(entry.get('epoch') == 2 for entry in logged(work_dir)):
            assert process.poll() is None, (folder / 'killed.log').read_text()[
                -3000:
            ]
            time.sleep(0.5)
        process.kill()
        process.wait()
    keywords['args'].insert(3, '--resume')
    assert 'resumed epoch: 1' in run(keywords)

    steps = [entry for entry in logged(work_dir) if 'loss' in entry]
    assert max(entry['iter'] for entry in steps) >= 50
    assert all(0 <= entry['loss'] < float('inf') for entry in steps)
    [*_, last] = (entry for entry in logged(work_dir) if 'MPJPE' in entry)
    out = work_dir / 'results.json'
    run(command('test.py', str(work_dir / 'epoch_2.pth'), '--out', str(out)))
    results = json.loads(out.read_text())
    assert results == pytest.approx(
        {key: last[key] for key in ('MPJPE', 'PA-MPJPE')}, rel=1e-6
    )


def test_two_ranks_train_and_evaluate(command, folder, name):
    work_dir = folder / f'{Path(name).stem}_two_ranks'
    run(
        command(
            'dist_train.sh',
            '2',
            '--work-dir',
            str(work_dir),
            options=['runner.max_epochs=1'],
        )
    )
    results = []
    for tool, ranks in (('dist_test.sh', ['2']), ('test.py', [])):
        out = work_dir / f'{tool}.json'
        run(
            command(
                tool, str(work_dir / 'epoch_1.pth'), *ranks, '--out', str(out)
            )
        )
        results.append(json.loads(out.read_text()))
    assert results[0] == pytest.approx(results[1], rel=1e-6)
