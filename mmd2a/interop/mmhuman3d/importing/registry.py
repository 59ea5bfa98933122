"""Registries of MMHuman3D in MMEngine's tree: scope ``mmhuman3d``.

MMEngine finds them as ``mmhuman3d.registry``. What MMHuman3D registers in its
own (mmcv 1.x) registries is registered here too, one registry per root, so
``type='mmhuman3d.X'`` builds from any scope. ``locations`` are the modules
whose import fills them.
"""

from mmengine import registry as roots
from mmengine.registry import Registry

__all__ = ['REGISTRIES', 'mirror_of', 'root_of']

_LOCATIONS = {
    'MODELS': [
        'mmhuman3d.models.architectures.builder',
        'mmhuman3d.models.registrants.builder',
    ],
    'DATASETS': ['mmhuman3d.data.datasets'],
    'TRANSFORMS': ['mmhuman3d.data.datasets'],
    'TASK_UTILS': [
        'mmhuman3d.core.cameras',
        'mmhuman3d.core.post_processing',
        'mmhuman3d.data.data_converters',
    ],
}
# Registries of MMHuman3D by name, and the root that builds the same things.
# Renderers are not among them: their parts share names ("depth" is a renderer
# and a shader), so only the functions of MMHuman3D can tell them apart.
_ROOTS = {
    'architectures': 'MODELS',
    'backbones': 'MODELS',
    'body_models': 'MODELS',
    'discriminators': 'MODELS',
    'heads': 'MODELS',
    'losses': 'MODELS',
    'necks': 'MODELS',
    'registrants': 'MODELS',
    'dataset': 'DATASETS',
    'pipeline': 'TRANSFORMS',
    'cameras': 'TASK_UTILS',
    'post_processing': 'TASK_UTILS',
    'data_converters': 'TASK_UTILS',
    'optimizers': 'OPTIMIZERS',
}

# Under `default_scope='mmhuman3d'` MMEngine looks here first for everything,
# and warns where there is no registry of that scope.
# A registry without locations it would fill by a function of the package that
# MMHuman3D does not have: the package itself is a location that adds nothing.
REGISTRIES = {
    name: Registry(
        root.name,
        parent=root,
        scope='mmhuman3d',
        locations=_LOCATIONS.get(name, ['mmhuman3d']),
    )
    for name, root in vars(roots).items()
    if isinstance(root, Registry) and root.parent is None
}


def mirror_of(scope: str, name: str) -> Registry | None:
    """Where entries of a registry written for mmcv 1.x are repeated.

    Args:
        scope: package that made the registry.
        name: name it gave it.

    Example:
        >>> mirror_of('mmhuman3d', 'heads').scope
        'mmhuman3d'
    """
    if scope != 'mmhuman3d' or name not in _ROOTS:
        return None
    return REGISTRIES[_ROOTS[name]]


def root_of(name: str) -> Registry:
    """MMEngine's registry of what a registry of mmcv 1.x holds.

    Example:
        >>> root_of('pipeline').name
        'transform'
    """
    return getattr(roots, _ROOTS.get(name, 'MODELS'))
