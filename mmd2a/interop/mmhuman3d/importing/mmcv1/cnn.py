"""``mmcv.cnn``: building blocks of networks."""

from mmengine.registry import build_model_from_cfg

from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in
from mmd2a.interop.mmhuman3d.importing.mmcv1.utils import Registry

# Parent of registries of models, known for its way to build them: a list of
# configs makes a sequence.
MODELS = Registry('model', build_func=build_model_from_cfg, scope='mmcv')

__getattr__ = found_in(
    __name__, 'mmcv.cnn', 'mmengine.model', 'mmengine.model.weight_init'
)
