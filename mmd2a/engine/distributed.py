"""Starting several processes, on GPUs or on CPU cores.

MMEngine 0.10 starts GPU ranks with NCCL only: it calls
``torch.cuda.set_device`` and gives the model wrapper a GPU number in any
case. It skips the start when the process group is already there, which is
where this module comes in.
"""

import datetime
import gc
import logging
import os
import subprocess

import torch
import torch.distributed as torch_dist
from mmengine.config import Config
from mmengine.logging import print_log

LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')
# MMEngine takes the variables of torchrun; the other launchers have theirs.
_VARIABLES = {
    'slurm': dict(
        RANK='SLURM_PROCID',
        WORLD_SIZE='SLURM_NTASKS',
        LOCAL_RANK='SLURM_LOCALID',
        LOCAL_WORLD_SIZE='SLURM_NTASKS_PER_NODE',
    ),
    'mpi': dict(
        RANK='OMPI_COMM_WORLD_RANK',
        WORLD_SIZE='OMPI_COMM_WORLD_SIZE',
        LOCAL_RANK='OMPI_COMM_WORLD_LOCAL_RANK',
        LOCAL_WORLD_SIZE='OMPI_COMM_WORLD_LOCAL_SIZE',
    ),
}


class LauncherError(RuntimeError):
    """Processes were not started by the launcher that was named."""


def setup_distributed(cfg: Config, launcher: str) -> None:
    """Start this process's part of a distributed run and adapt the config.

    GPUs talk through NCCL. Without GPUs, or with more ranks than GPUs on a
    machine, which then share them, ranks talk through gloo.

    Args:
        cfg: config of the run; ``launcher`` and, for gloo,
            ``model_wrapper_cfg`` are set in it. ``env_cfg.dist_cfg.timeout``
            (seconds) is respected.
        launcher: who started the processes, one of :data:`LAUNCHERS`.

    Example:
        >>> cfg = Config(dict())
        >>> setup_distributed(cfg, 'none')
        >>> cfg.launcher
        'none'
    """
    cfg.launcher = launcher
    if launcher == 'none':
        return
    dist_cfg = cfg.get('env_cfg', {}).get('dist_cfg', {})
    backend = init_distributed(launcher, timeout=dist_cfg.get('timeout'))
    if backend == 'gloo':
        # The model sits on its device already; gloo needs no GPU number.
        wrapper = cfg.get('model_wrapper_cfg') or {}
        wrapper.setdefault('type', 'MMDistributedDataParallel')
        wrapper.setdefault('broadcast_buffers', False)
        wrapper['device_ids'] = None
        cfg.model_wrapper_cfg = wrapper


def init_distributed(
    launcher: str, backend: str | None = None, timeout: float | None = None
) -> str:
    """Join the other processes; return the backend, ``nccl`` or ``gloo``.

    Args:
        launcher: who started the processes: pytorch, slurm or mpi.
        backend: how they talk; None chooses by what the machine has.
        timeout: seconds after which a silent rank is given up.

    Raises:
        LauncherError: the launcher's environment variables are not there.
    """
    _adopt_environment(launcher)
    local_rank = int(os.environ['LOCAL_RANK'])
    local_ranks = int(os.environ.get('LOCAL_WORLD_SIZE', 1))
    gpus = torch.cuda.device_count()
    if backend is None:
        backend = 'nccl' if gpus >= local_ranks else 'gloo'
    if gpus:
        torch.cuda.set_device(local_rank % gpus)
    _share_cores(local_ranks)
    if not torch_dist.is_initialized():
        limit = (
            None if timeout is None else datetime.timedelta(seconds=timeout)
        )
        torch_dist.init_process_group(backend, timeout=limit)
    if 0 < gpus < local_ranks:
        print_log(
            f'{local_ranks} ranks share {gpus} GPU(s) of this machine',
            logger='current',
            level=logging.WARNING,
        )
    return backend


def shutdown_distributed() -> None:
    """Part from the other processes; call it as the last thing of a process.

    Gloo's threads end with the last reference to the process group. Model
    wrappers have one, and are freed when Python gets round to it: too late at
    the exit, where a thread that wants Python aborts the process, and while
    Python waits for the threads, one of them may wait for Python. So wrappers
    that nobody uses any more are collected first; ``destroy_process_group``
    then has the last reference, and lets Python go while it waits.

    Example:
        >>> shutdown_distributed()  # a process on its own has nothing to leave
    """
    if torch_dist.is_initialized():
        gc.collect()
        torch_dist.destroy_process_group()


def _adopt_environment(launcher: str) -> None:
    """Translate the launcher's variables into those torch reads."""
    if launcher not in LAUNCHERS or launcher == 'none':
        raise ValueError(
            f'launcher is {launcher!r}; it must be one of '
            f'{", ".join(LAUNCHERS[1:])}'
        )
    for ours, theirs in _VARIABLES.get(launcher, {}).items():
        if theirs in os.environ:
            os.environ[ours] = os.environ[theirs]
    missing = [
        name
        for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK')
        if name not in os.environ
    ]
    if missing:
        raise LauncherError(
            f'--launcher {launcher}, but {", ".join(missing)} is not set: '
            'the processes were not started by it. Use tools/dist_train.sh '
            'or tools/dist_test.sh (pytorch), tools/slurm_train.sh or '
            'tools/slurm_test.sh (slurm), or leave --launcher out.'
        )
    os.environ.setdefault('MASTER_PORT', '29500')
    if 'MASTER_ADDR' not in os.environ:
        os.environ['MASTER_ADDR'] = _first_host()


def _first_host() -> str:
    nodes = os.environ.get('SLURM_NODELIST')
    if nodes is None:
        return '127.0.0.1'
    hosts = subprocess.run(
        ['scontrol', 'show', 'hostnames', nodes],
        capture_output=True,
        text=True,
        check=True,
    )
    return hosts.stdout.split()[0]


def _share_cores(local_ranks: int) -> None:
    """Give each rank its share of the cores, unless the user decided.

    Unset, MMEngine would give each rank a single thread.
    """
    if 'OMP_NUM_THREADS' in os.environ:
        return
    cores = (
        len(os.sched_getaffinity(0))
        if hasattr(os, 'sched_getaffinity')
        else os.cpu_count() or 1
    )
    threads = max(1, cores // local_ranks)
    torch.set_num_threads(threads)
    os.environ['OMP_NUM_THREADS'] = str(threads)
    os.environ.setdefault('MKL_NUM_THREADS', str(threads))
