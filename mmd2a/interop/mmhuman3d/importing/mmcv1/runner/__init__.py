"""``mmcv.runner``: modules, checkpoints and optimisers; no runner."""

from mmengine.dist import get_dist_info
from mmengine.model import BaseModule, ModuleDict, ModuleList, Sequential
from mmengine.registry import OPTIMIZERS

from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in
from mmd2a.interop.mmhuman3d.importing.mmcv1.runner.checkpoint import (
    load_checkpoint,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.runner.hooks import (
    HOOKS,
    CheckpointHook,
    DistEvalHook,
    DistSamplerSeedHook,
    EvalHook,
    Fp16OptimizerHook,
    Hook,
    LoggerHook,
    LrUpdaterHook,
    OptimizerHook,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.runner.optimizer import (
    build_optimizer,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.runner.runners import (
    RUNNERS,
    BaseRunner,
    EpochBasedRunner,
    IterBasedRunner,
    build_runner,
)

__all__ = [
    'HOOKS',
    'OPTIMIZERS',
    'RUNNERS',
    'BaseModule',
    'BaseRunner',
    'CheckpointHook',
    'DistEvalHook',
    'DistSamplerSeedHook',
    'EpochBasedRunner',
    'EvalHook',
    'Fp16OptimizerHook',
    'Hook',
    'IterBasedRunner',
    'LoggerHook',
    'LrUpdaterHook',
    'ModuleDict',
    'ModuleList',
    'OptimizerHook',
    'Sequential',
    'build_optimizer',
    'build_runner',
    'get_dist_info',
    'load_checkpoint',
]

__getattr__ = found_in(
    __name__,
    'mmengine.runner',
    'mmengine.dist',
    'mmengine.model',
    'mmengine.runner.checkpoint',
)
