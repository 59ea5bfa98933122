"""What MMEngine's hub asks a package for."""

from importlib import import_module

from mmengine import registry

MODULES = (
    'body_models',
    'datasets',
    'datasets.transforms',
    'engine',
    'evaluation',
    'mixing',
    'models',
    'visualization',
)


def register_all_modules(init_default_scope: bool = True) -> None:
    """Import every module that registers something.

    Nobody needs it to use ``type='mmd2a.X'``: the registries import what they
    are asked for. ``mmengine.hub.get_model`` and tools of the ecosystem call
    it by this name.

    Args:
        init_default_scope: also make ``mmd2a`` the default scope, so that
            names without a prefix are looked up here first.

    Example:
        >>> register_all_modules(init_default_scope=False)
        >>> from mmd2a.registry import MODELS
        >>> 'D2AHMR' in MODELS
        True
    """
    for module in MODULES:
        import_module(f'mmd2a.{module}')
    if init_default_scope:
        registry.init_default_scope('mmd2a')
