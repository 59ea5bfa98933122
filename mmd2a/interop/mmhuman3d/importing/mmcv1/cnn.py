"""``mmcv.cnn``: building blocks of networks."""

from mmengine.registry import MODELS as ALL_MODELS
from mmengine.registry import build_model_from_cfg

from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in
from mmd2a.interop.mmhuman3d.importing.mmcv1.utils import Registry

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
