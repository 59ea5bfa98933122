"""``mmcv.cnn``: building blocks of networks."""

from typing import Any

from mmengine.model import Sequential
from mmengine.registry import MODELS as ALL_MODELS

from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in
from mmd2a.interop.mmhuman3d.importing.mmcv1.utils import (
    Registry,
    build_from_cfg,
)


def build_model_from_cfg(
    cfg: Any, registry: Registry, default_args: dict | None = None
) -> Any:
    """Make a module of a config, and a sequence of a list of them.

    Args:
        cfg: ``type`` and arguments, or a list of such.
        registry: where names are looked up; the default scope is not asked.
        default_args: arguments that a config may override.

    Example:
        >>> from torch import nn
        >>> identity = dict(type=nn.Identity)
        >>> len(build_model_from_cfg([identity, identity], MODELS))
        2
    """
    if not isinstance(cfg, list):
        return build_from_cfg(cfg, registry, default_args)
    return Sequential(
        *(build_from_cfg(each, registry, default_args) for each in cfg)
    )


# Parent of registries of models, known for its way to build them: a list of
# configs makes a sequence.
MODELS = Registry('model', build_func=build_model_from_cfg, scope='mmcv')

# Layers had a registry per kind. mmcv 2 registers and builds all of them here.
ACTIVATION_LAYERS = ATTENTION = CONV_LAYERS = DROPOUT_LAYERS = ALL_MODELS
FEEDFORWARD_NETWORK = NORM_LAYERS = PADDING_LAYERS = PLUGIN_LAYERS = ALL_MODELS
POSITIONAL_ENCODING = TRANSFORMER_LAYER = ALL_MODELS
TRANSFORMER_LAYER_SEQUENCE = UPSAMPLE_LAYERS = ALL_MODELS

__getattr__ = found_in(
    __name__, 'mmcv.cnn', 'mmengine.model', 'mmengine.model.weight_init'
)
