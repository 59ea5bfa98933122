"""``mmcv.runner.hooks``: names to subclass; MMEngine has hooks of its own."""

from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in
from mmd2a.interop.mmhuman3d.importing.mmcv1.runner.retired import Retired
from mmd2a.interop.mmhuman3d.importing.mmcv1.utils import Registry

__getattr__ = found_in(__name__)

HOOKS = Registry('hook', scope='mmcv')


class Hook(Retired):
    """Was called at stages of training; now ``mmengine.hooks.Hook``."""


class CheckpointHook(Hook):
    """Saved checkpoints; now ``default_hooks.checkpoint``."""


class DistSamplerSeedHook(Hook):
    """Shuffled anew per epoch; now ``mmengine.hooks.DistSamplerSeedHook``."""


class EvalHook(Hook):
    """Validated during training; now ``val_cfg`` and ``val_evaluator``."""


class DistEvalHook(EvalHook):
    """Validated on many processes; now ``val_cfg`` and ``val_evaluator``."""


class LoggerHook(Hook):
    """Wrote logs; now ``default_hooks.logger`` and ``visualizer``."""


class LrUpdaterHook(Hook):
    """Changed learning rates; now ``param_scheduler``."""


class OptimizerHook(Hook):
    """Stepped the optimiser; now ``optim_wrapper``."""


class Fp16OptimizerHook(OptimizerHook):
    """Did so in half precision; now ``mmengine.optim.AmpOptimWrapper``."""


class EMAHook(Hook):
    """Averaged weights; now ``mmengine.hooks.EMAHook``."""


class IterTimerHook(Hook):
    """Took times; now ``default_hooks.timer``."""


class TextLoggerHook(LoggerHook):
    """Wrote logs as text; now ``default_hooks.logger``."""


class TensorboardLoggerHook(LoggerHook):
    """Wrote for TensorBoard; now ``visualizer.vis_backends``."""


class StepLrUpdaterHook(LrUpdaterHook):
    """Lowered rates in steps; now ``param_scheduler``."""


class CosineAnnealingLrUpdaterHook(LrUpdaterHook):
    """Lowered rates by a cosine; now ``param_scheduler``."""


class MomentumUpdaterHook(Hook):
    """Changed momentum; now ``param_scheduler``."""


# All that is left of these is their names.
_MORE: dict[type[Hook], str] = {
    Hook: 'ClosureHook EmptyCacheHook ProfilerHook SyncBuffersHook',
    LoggerHook: 'ClearMLLoggerHook DvcliveLoggerHook MlflowLoggerHook '
    'NeptuneLoggerHook PaviLoggerHook SegmindLoggerHook WandbLoggerHook',
    LrUpdaterHook: 'CosineRestartLrUpdaterHook CyclicLrUpdaterHook '
    'ExpLrUpdaterHook FixedLrUpdaterHook FlatCosineAnnealingLrUpdaterHook '
    'InvLrUpdaterHook LinearAnnealingLrUpdaterHook OneCycleLrUpdaterHook '
    'PolyLrUpdaterHook',
    MomentumUpdaterHook: 'CosineAnnealingMomentumUpdaterHook '
    'CyclicMomentumUpdaterHook LinearAnnealingMomentumUpdaterHook '
    'OneCycleMomentumUpdaterHook StepMomentumUpdaterHook',
    OptimizerHook: 'GradientCumulativeOptimizerHook',
    Fp16OptimizerHook: 'GradientCumulativeFp16OptimizerHook',
}
globals().update(
    (
        name,
        type(
            name,
            (base,),
            {'__module__': __name__, '__doc__': f'Was a {base.__name__}.'},
        ),
    )
    for base, names in _MORE.items()
    for name in names.split()
)
