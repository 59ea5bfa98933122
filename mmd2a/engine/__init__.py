"""Training and evaluation runs: hooks, precision, processes, launching."""

from mmd2a.engine.checkpoint_hook import AtomicCheckpointHook
from mmd2a.engine.checkpoint_loading import (
    UntrustedCheckpointError,
    restrict_checkpoint_loading,
)
from mmd2a.engine.cpu_amp import CPUAmpOptimWrapper
from mmd2a.engine.distributed import (
    init_distributed,
    setup_distributed,
    shutdown_distributed,
)
from mmd2a.engine.epoch_seed_hook import EpochSeedHook
from mmd2a.engine.non_finite_guard_hook import (
    NonFiniteError,
    NonFiniteGuardHook,
)
from mmd2a.engine.resume_hook import ResumeHook
from mmd2a.engine.stopping import Stopped
from mmd2a.engine.worker_init import init_worker

__all__ = [
    'AtomicCheckpointHook',
    'CPUAmpOptimWrapper',
    'EpochSeedHook',
    'NonFiniteError',
    'NonFiniteGuardHook',
    'ResumeHook',
    'Stopped',
    'UntrustedCheckpointError',
    'init_distributed',
    'init_worker',
    'restrict_checkpoint_loading',
    'setup_distributed',
    'shutdown_distributed',
]
