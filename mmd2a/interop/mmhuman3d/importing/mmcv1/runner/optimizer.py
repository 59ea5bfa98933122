"""``mmcv.runner.optimizer``: optimisers of configs."""

from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn
from torch.optim import Optimizer

_DEFAULT = 'DefaultOptimizerConstructor'


def build_optimizer(model: nn.Module, cfg: dict) -> Optimizer:
    """Make an optimiser of a model's parameters.

    Args:
        model: anything with ``parameters()``; named modules are needed for
            ``paramwise_cfg`` only.
        cfg: ``type`` and arguments of the optimiser, and optionally
            ``paramwise_cfg``, and ``constructor``, by the name it has in
            MMEngine.

    Example:
        >>> layer = torch.nn.Linear(2, 1)
        >>> optimizer = build_optimizer(layer, dict(type='SGD', lr=0.1))
        >>> len(optimizer.param_groups[0]['params'])
        2
    """
    optimizer = dict(cfg)
    constructor = optimizer.pop('constructor', _DEFAULT)
    if constructor == _DEFAULT:
        constructor = 'DefaultOptimWrapperConstructor'
    make = OPTIM_WRAPPER_CONSTRUCTORS.build(
        dict(
            type=constructor,
            paramwise_cfg=optimizer.pop('paramwise_cfg', None),
            optim_wrapper_cfg=dict(type='OptimWrapper', optimizer=optimizer),
        )
    )
    return make(model).optimizer
