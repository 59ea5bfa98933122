"""Two ranks train and evaluate MMHuman3D's configs as one does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def test_two_ranks_learn_the_same_and_evaluate_as_one(
    runner, data_here, tiny_configs
):
    done = subprocess.run(
        # By number: a machine need not know its own name.
        [
            sys.executable,
            '-m',
            'torch.distributed.run',
            '--rdzv-backend',
            'c10d',
            '--rdzv-endpoint',
            '127.0.0.1:0',
            '--local-addr',
            '127.0.0.1',
            '--nproc-per-node',
            '2',
            str(HERE / 'two_ranks.py'),
            str(tiny_configs / 'hmr.py'),
            str(tiny_configs / 'plain_hmr.py'),
        ],
        env={
            **os.environ,
            'OMP_NUM_THREADS': '1',
            'CUDA_VISIBLE_DEVICES': '',
            'PYTHONPATH': str(HERE.parents[2]),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    results = json.loads(Path('two_ranks.json').read_text())
    assert results['averaged'] == [[[1.5, 15.0], [0.5, 0.5], None, None]] * 2
    stepping, usual = results['trained']
    assert stepping['wrapper'] == 'MMHuman3DDistributed'
    assert usual['wrapper'] == 'MMDistributedDataParallel'
    assert stepping['alike'] and usual['alike']
    # Three people on two ranks, evaluated with the weights just saved.
    for name, trained in zip(('hmr', 'plain_hmr'), (stepping, usual)):
        alone = runner(name, name, load_from=trained['checkpoint'])
        assert alone.test() == pytest.approx(trained['metrics'], rel=1e-6)
