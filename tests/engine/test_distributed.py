"""Starting ranks, without starting any."""

import os
import subprocess
import sys

import pytest
import torch
import torch.distributed as torch_dist
from mmengine.config import Config

from mmd2a.engine import init_distributed, setup_distributed


@pytest.fixture
def machine(monkeypatch):
    """``machine(gpus, ranks) -> calls``: a machine, and what was asked."""
    calls = {}
    for name in (
        'RANK',
        'WORLD_SIZE',
        'LOCAL_RANK',
        'LOCAL_WORLD_SIZE',
        'MASTER_ADDR',
        'MASTER_PORT',
    ):
        # Set first, so that what the code under test sets is taken back.
        monkeypatch.setenv(name, '')
        monkeypatch.delenv(name)

    def build(gpus, ranks, local_rank=1):
        monkeypatch.setenv('RANK', '1')
        monkeypatch.setenv('WORLD_SIZE', str(ranks))
        monkeypatch.setenv('LOCAL_RANK', str(local_rank))
        monkeypatch.setenv('LOCAL_WORLD_SIZE', str(ranks))
        monkeypatch.setattr(torch.cuda, 'device_count', lambda: gpus)
        monkeypatch.setattr(
            torch.cuda, 'set_device', lambda index: calls.update(device=index)
        )
        monkeypatch.setattr(
            torch_dist,
            'init_process_group',
            lambda backend, timeout: calls.update(
                backend=backend, timeout=timeout
            ),
        )
        monkeypatch.setattr(
            torch, 'set_num_threads', lambda n: calls.update(threads=n)
        )
        monkeypatch.setattr(
            os, 'sched_getaffinity', lambda pid: set(range(8)), raising=False
        )
        return calls

    build.setenv = monkeypatch.setenv
    build.delenv = monkeypatch.delenv
    build.setattr = monkeypatch.setattr
    return build


@pytest.mark.parametrize(
    'gpus, ranks, backend, device',
    [(0, 2, 'gloo', None), (2, 2, 'nccl', 1), (1, 2, 'gloo', 0)],
)
def test_backend_and_device_fit_the_machine(
    machine, gpus, ranks, backend, device
):
    calls = machine(gpus, ranks)
    cfg = Config(dict(env_cfg=dict(dist_cfg=dict(timeout=60))))
    setup_distributed(cfg, 'pytorch')
    assert calls['backend'] == backend and calls.get('device') == device
    assert calls['timeout'].total_seconds() == 60
    wrapper = cfg.get('model_wrapper_cfg')
    if backend == 'gloo':
        assert wrapper.device_ids is None
        assert 'find_unused_parameters' not in wrapper
    else:
        assert wrapper is None


def test_ranks_share_the_cores_unless_told_otherwise(machine):
    calls = machine(0, 2)
    machine.setenv('MKL_NUM_THREADS', '1')
    machine.setenv('OMP_NUM_THREADS', '3')
    init_distributed('pytorch')
    assert 'threads' not in calls
    machine.delenv('OMP_NUM_THREADS')
    init_distributed('pytorch')
    assert calls['threads'] == 4 and os.environ['OMP_NUM_THREADS'] == '4'


def test_slurm_variables_are_understood(machine):
    calls = machine(0, 1)
    for name, value in dict(
        SLURM_PROCID='3',
        SLURM_NTASKS='4',
        SLURM_LOCALID='1',
        SLURM_NTASKS_PER_NODE='2',
        SLURM_NODELIST='node[1-2]',
    ).items():
        machine.setenv(name, value)
    machine.setattr(
        subprocess,
        'run',
        lambda *args, **kwargs: subprocess.CompletedProcess(
            args, 0, 'node1\nnode2\n'
        ),
    )
    init_distributed('slurm')
    assert calls['backend'] == 'gloo'
    assert [
        os.environ[name]
        for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR')
    ] == ['3', '4', '1', 'node1']


def test_a_missing_launcher_is_explained(machine):
    with pytest.raises(RuntimeError, match='RANK.*dist_train.sh'):
        init_distributed('mpi')
    with pytest.raises(ValueError, match='magic'):
        init_distributed('magic')


# A runner and its model wrapper refer to each other, and the wrapper to the
# process group.
LEAVING = """
from pathlib import Path
import torch
from torch.nn.parallel import DistributedDataParallel
from mmd2a.engine.distributed import init_distributed, shutdown_distributed

def threads():
    return [task.joinpath('comm').read_text()
            for task in Path('/proc/self/task').iterdir()]

def run():
    model = DistributedDataParallel(torch.nn.Linear(1, 1))
    model.runner = model
    model(torch.ones(1, 1)).sum().backward()

init_distributed('pytorch', backend='gloo')
run()
assert any('gloo' in name for name in threads())
shutdown_distributed()
assert not any('gloo' in name for name in threads()), threads()
"""


@pytest.mark.skipif(
    not os.path.isdir('/proc/self/task'),
    reason='this system does not list threads as files',
)
def test_no_thread_is_left_that_would_abort_a_process_on_its_way_out():
    done = subprocess.run(
        [sys.executable, '-c', LEAVING],
        capture_output=True,
        text=True,
        timeout=120,
        env={
            **os.environ,
            'RANK': '0',
            'WORLD_SIZE': '1',
            'LOCAL_RANK': '0',
            'LOCAL_WORLD_SIZE': '1',
            'MASTER_ADDR': '127.0.0.1',
            'MASTER_PORT': '0',
            'CUDA_VISIBLE_DEVICES': '',
        },
    )
    assert done.returncode == 0, done.stderr
