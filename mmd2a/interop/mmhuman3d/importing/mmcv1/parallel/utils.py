"""``mmcv.parallel.utils``: tell wrappers from models."""

from mmengine.model import is_model_wrapper
from torch import nn

from mmd2a.interop.mmhuman3d.importing.mmcv1.parallel.registry import (
    MODULE_WRAPPERS,
)


def is_module_wrapper(module: nn.Module) -> bool:
    """Whether a module wraps a model for several devices.

    Example:
        >>> is_module_wrapper(torch.nn.Linear(1, 1))
        False
    """
    wrappers = tuple(MODULE_WRAPPERS.module_dict.values())
    return is_model_wrapper(module) or isinstance(module, wrappers)
