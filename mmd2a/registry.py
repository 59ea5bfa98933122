"""Registries of this package: children of MMEngine's, scope ``mmd2a``.

``locations`` lets any scope build ``type='mmd2a.X'`` without
``custom_imports``: the modules are imported at the first look-up.
"""
from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import FUNCTIONS as MMENGINE_FUNCTIONS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISUALIZERS as MMENGINE_VISUALIZERS
from mmengine.registry import Registry

__all__ = [
    'DATASETS', 'DATA_SAMPLERS', 'FUNCTIONS', 'HOOKS', 'METRICS', 'MODELS',
    'OPTIM_WRAPPERS', 'TRANSFORMS', 'VISUALIZERS'
]

MODELS = Registry('model', parent=MMENGINE_MODELS, scope='mmd2a',
                  locations=['mmd2a.models', 'mmd2a.body_models'])
DATASETS = Registry('dataset', parent=MMENGINE_DATASETS, scope='mmd2a',
                    locations=['mmd2a.datasets'])
DATA_SAMPLERS = Registry('data sampler', parent=MMENGINE_DATA_SAMPLERS,
                         scope='mmd2a', locations=['mmd2a.datasets'])
TRANSFORMS = Registry('transform', parent=MMENGINE_TRANSFORMS, scope='mmd2a',
                      locations=['mmd2a.datasets.transforms'])
FUNCTIONS = Registry('function', parent=MMENGINE_FUNCTIONS, scope='mmd2a',
                     locations=['mmd2a.engine'])
HOOKS = Registry('hook', parent=MMENGINE_HOOKS, scope='mmd2a',
                 locations=['mmd2a.engine', 'mmd2a.visualization'])
OPTIM_WRAPPERS = Registry('optimizer wrapper', parent=MMENGINE_OPTIM_WRAPPERS,
                          scope='mmd2a', locations=['mmd2a.engine'])
METRICS = Registry('metric', parent=MMENGINE_METRICS, scope='mmd2a',
                   locations=['mmd2a.evaluation'])
VISUALIZERS = Registry('visualizer', parent=MMENGINE_VISUALIZERS,
                       scope='mmd2a', locations=['mmd2a.visualization'])
