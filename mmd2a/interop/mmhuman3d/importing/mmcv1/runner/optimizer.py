"""``mmcv.runner.optimizer``: optimisers of configs."""

from typing import Any

from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIMIZERS
from torch import nn
from torch.optim import Optimizer

from mmd2a.interop.mmhuman3d.importing.mmcv1.utils import Registry

__all__ = [
    'OPTIMIZERS',
    'OPTIMIZER_BUILDERS',
    'DefaultOptimizerConstructor',
    'build_optimizer',
    'build_optimizer_constructor',
]

OPTIMIZER_BUILDERS = Registry('optimizer builder', scope='mmcv')


@OPTIMIZER_BUILDERS.register_module()
class DefaultOptimizerConstructor(DefaultOptimWrapperConstructor):
    """Make an optimiser whose settings differ between parameters.

    MMEngine's constructor, but of an optimiser without a wrapper.

    Args:
        optimizer_cfg: ``type`` and arguments of the optimiser.
        paramwise_cfg: multipliers of rate and weight decay, as in MMEngine.

    Example:
        >>> make = DefaultOptimizerConstructor(dict(type='SGD', lr=1.0))
        >>> make(nn.Linear(2, 1)).param_groups[0]['lr']
        1.0
    """

    def __init__(
        self, optimizer_cfg: dict, paramwise_cfg: dict | None = None
    ) -> None:
        super().__init__(
            dict(type='OptimWrapper', optimizer=dict(optimizer_cfg)),
            paramwise_cfg,
        )

    def __call__(self, model: nn.Module) -> Optimizer:
        """Make it for a model."""
        return super().__call__(model).optimizer


def build_optimizer_constructor(cfg: dict) -> Any:
    """Make what makes an optimiser.

    Args:
        cfg: ``type``, registered in ``OPTIMIZER_BUILDERS``, and arguments.
    """
    return OPTIMIZER_BUILDERS.build(cfg)


def build_optimizer(model: nn.Module, cfg: dict) -> Optimizer:
    """Make an optimiser of a model's parameters.

    Args:
        model: anything with ``parameters()``; named modules are needed for
            ``paramwise_cfg`` only.
        cfg: ``type`` and arguments of the optimiser, and optionally
            ``paramwise_cfg``, and ``constructor``, registered in
            ``OPTIMIZER_BUILDERS`` or by MMEngine.

    Example:
        >>> layer = torch.nn.Linear(2, 1)
        >>> optimizer = build_optimizer(layer, dict(type='SGD', lr=0.1))
        >>> len(optimizer.param_groups[0]['params'])
        2
    """
    optimizer = dict(cfg)
    constructor = optimizer.pop('constructor', 'DefaultOptimizerConstructor')
    paramwise = optimizer.pop('paramwise_cfg', None)
    if constructor in OPTIMIZER_BUILDERS:
        return build_optimizer_constructor(
            dict(
                type=constructor,
                optimizer_cfg=optimizer,
                paramwise_cfg=paramwise,
            )
        )(model)
    make = OPTIM_WRAPPER_CONSTRUCTORS.build(
        dict(
            type=constructor,
            paramwise_cfg=paramwise,
            optim_wrapper_cfg=dict(type='OptimWrapper', optimizer=optimizer),
        )
    )
    return make(model).optimizer
