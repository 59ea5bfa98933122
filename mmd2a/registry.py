"""Registries of this package: children of MMEngine's, scope ``mmd2a``.

``locations`` lets any scope build ``type='mmd2a.X'`` without
``custom_imports``: the modules are imported at the first look-up. Roots that
nothing is registered in are here too: under ``default_scope='mmd2a'`` MMEngine
looks in the child first and warns where there is none.
"""

from mmengine import registry as roots
from mmengine.registry import Registry

__all__ = [
    'DATASETS',
    'DATA_SAMPLERS',
    'EVALUATOR',
    'FUNCTIONS',
    'HOOKS',
    'INFERENCERS',
    'LOG_PROCESSORS',
    'LOOPS',
    'METRICS',
    'MODELS',
    'MODEL_WRAPPERS',
    'OPTIMIZERS',
    'OPTIM_WRAPPERS',
    'OPTIM_WRAPPER_CONSTRUCTORS',
    'PARAM_SCHEDULERS',
    'RUNNERS',
    'RUNNER_CONSTRUCTORS',
    'STRATEGIES',
    'TASK_UTILS',
    'TRANSFORMS',
    'VISBACKENDS',
    'VISUALIZERS',
    'WEIGHT_INITIALIZERS',
]


def _child(root: Registry, *locations: str) -> Registry:
    return Registry(
        root.name, parent=root, scope='mmd2a', locations=list(locations)
    )


# Light as well: MMHuman3D is imported when one of these is built.
_BRIDGE = 'mmd2a.interop.mmhuman3d.registered_parts'

MODELS = _child(
    roots.MODELS, 'mmd2a.models', 'mmd2a.body_models', 'mmd2a.mixing', _BRIDGE
)
MODEL_WRAPPERS = _child(roots.MODEL_WRAPPERS, 'mmd2a.engine', _BRIDGE)
TASK_UTILS = _child(roots.TASK_UTILS, 'mmd2a.engine')
DATASETS = _child(roots.DATASETS, 'mmd2a.datasets', _BRIDGE)
DATA_SAMPLERS = _child(roots.DATA_SAMPLERS, 'mmd2a.datasets')
TRANSFORMS = _child(
    roots.TRANSFORMS, 'mmd2a.datasets.transforms', 'mmd2a.mixing', _BRIDGE
)
FUNCTIONS = _child(roots.FUNCTIONS, 'mmd2a.engine', _BRIDGE)
EVALUATOR = _child(roots.EVALUATOR, 'mmd2a.evaluation')
METRICS = _child(roots.METRICS, 'mmd2a.evaluation', _BRIDGE)
HOOKS = _child(roots.HOOKS, 'mmd2a.engine', 'mmd2a.visualization')
RUNNERS = _child(roots.RUNNERS, 'mmd2a.engine', _BRIDGE)
LOOPS = _child(roots.LOOPS, 'mmd2a.engine')
LOG_PROCESSORS = _child(roots.LOG_PROCESSORS, 'mmd2a.engine')
OPTIMIZERS = _child(roots.OPTIMIZERS, 'mmd2a.engine')
OPTIM_WRAPPERS = _child(roots.OPTIM_WRAPPERS, 'mmd2a.engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    roots.OPTIM_WRAPPER_CONSTRUCTORS, 'mmd2a.engine', _BRIDGE
)
PARAM_SCHEDULERS = _child(roots.PARAM_SCHEDULERS, 'mmd2a.engine')
WEIGHT_INITIALIZERS = _child(roots.WEIGHT_INITIALIZERS, 'mmd2a.engine')
RUNNER_CONSTRUCTORS = _child(roots.RUNNER_CONSTRUCTORS, 'mmd2a.engine')
VISUALIZERS = _child(roots.VISUALIZERS, 'mmd2a.visualization')
VISBACKENDS = _child(roots.VISBACKENDS, 'mmd2a.visualization')
INFERENCERS = _child(roots.INFERENCERS, 'mmd2a.engine')
STRATEGIES = _child(roots.STRATEGIES, 'mmd2a.engine')
