"""``mmcv.runner``: modules, checkpoints and optimisers; no runner."""

from mmengine.dist import get_dist_info
from mmengine.model import BaseModule, ModuleDict, ModuleList, Sequential
from mmengine.registry import OPTIMIZERS

from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in
from mmd2a.interop.mmhuman3d.importing.mmcv1.runner.checkpoint import (
    load_checkpoint,
    save_checkpoint,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.runner.dist_utils import (
    allreduce_grads,
    allreduce_params,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.runner.fp16_utils import (
    auto_fp16,
    force_fp32,
    wrap_fp16_model,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.runner.hooks import (
    HOOKS,
    CheckpointHook,
    CosineAnnealingLrUpdaterHook,
    DistEvalHook,
    DistSamplerSeedHook,
    EMAHook,
    EvalHook,
    Fp16OptimizerHook,
    Hook,
    IterTimerHook,
    LoggerHook,
    LrUpdaterHook,
    OptimizerHook,
    StepLrUpdaterHook,
    TensorboardLoggerHook,
    TextLoggerHook,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.runner.optimizer import (
    OPTIMIZER_BUILDERS,
    DefaultOptimizerConstructor,
    build_optimizer,
    build_optimizer_constructor,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.runner.runners import (
    RUNNER_BUILDERS,
    RUNNERS,
    BaseRunner,
    EpochBasedRunner,
    IterBasedRunner,
    Runner,
    build_runner,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.runner.utils import (
    get_host_info,
    get_time_str,
    obj_from_dict,
)

__all__ = [
    'HOOKS',
    'OPTIMIZERS',
    'OPTIMIZER_BUILDERS',
    'RUNNERS',
    'RUNNER_BUILDERS',
    'BaseModule',
    'BaseRunner',
    'CheckpointHook',
    'CosineAnnealingLrUpdaterHook',
    'DefaultOptimizerConstructor',
    'DistEvalHook',
    'DistSamplerSeedHook',
    'EMAHook',
    'EpochBasedRunner',
    'EvalHook',
    'Fp16OptimizerHook',
    'Hook',
    'IterBasedRunner',
    'IterTimerHook',
    'LoggerHook',
    'LrUpdaterHook',
    'ModuleDict',
    'ModuleList',
    'OptimizerHook',
    'Runner',
    'Sequential',
    'StepLrUpdaterHook',
    'TensorboardLoggerHook',
    'TextLoggerHook',
    'allreduce_grads',
    'allreduce_params',
    'auto_fp16',
    'build_optimizer',
    'build_optimizer_constructor',
    'build_runner',
    'force_fp32',
    'get_dist_info',
    'get_host_info',
    'get_time_str',
    'load_checkpoint',
    'obj_from_dict',
    'save_checkpoint',
    'wrap_fp16_model',
]

__getattr__ = found_in(
    __name__,
    'mmengine.runner',
    'mmengine.dist',
    'mmengine.model',
    'mmengine.runner.checkpoint',
    f'{__name__}.hooks',
)
