"""``mmcv.utils.registry``: registries, each known to MMEngine's as well."""

import inspect
import sys
from collections.abc import Callable
from typing import Any

from mmengine import registry as mmengine_registry

from mmd2a.interop.mmhuman3d.importing.registry import mirror_of, root_of


class Registry(mmengine_registry.Registry):
    """A registry as mmcv 1.x has them, between two worlds.

    What MMHuman3D registers is registered in MMEngine's tree too. In return
    ``type='mmd2a.X'``, the name of another package's part, is built by
    MMEngine; names without a scope are looked for here only.

    Args:
        name: what is registered, such as ``'backbones'``.
        build_func: makes an object of a config and this registry.
        parent: a registry whose ``build_func`` is used where none is given.
        scope: name of the package; by default the one that makes this.

    Example:
        >>> HEADS = Registry('heads', scope='my_project')
        >>> @HEADS.register_module()
        ... class Head:
        ...     pass
        >>> type(HEADS.build(dict(type='Head'))) is Head
        True
        >>> type(HEADS.build(dict(type='mmd2a.SilhouetteLoss'))).__name__
        'SilhouetteLoss'
    """

    def __init__(
        self,
        name: str,
        build_func: Callable | None = None,
        parent: mmengine_registry.Registry | None = None,
        scope: str | None = None,
    ) -> None:
        if scope is None:
            maker = sys._getframe(1).f_globals.get('__name__', name)
            scope = maker.partition('.')[0]
        if build_func is None:
            # An empty registry is false.
            build_func = (
                build_from_cfg if parent is None else parent.build_func
            )
        # No parent: a registry of MMEngine has one child per scope, but a
        # package of mmcv 1.x may make many.
        super().__init__(name, build_func=build_func, scope=scope)
        self.mirror = mirror_of(scope, name)
        self.mmengine_root = root_of(name)

    def get(self, key: str) -> Any:
        """The class registered by a name, None if there is none."""
        if self.is_foreign(key):
            return self.mmengine_root.get(key)
        return self.module_dict.get(key.removeprefix(f'{self.scope}.'))

    def is_foreign(self, key: str) -> bool:
        """Whether a name has the scope of another package."""
        scope, _ = self.split_scope_key(key)
        return scope not in (None, self.scope) and key not in self.module_dict

    def _register_module(
        self,
        module: Any,
        module_name: str | list[str] | None = None,
        force: bool = False,
    ) -> None:
        super()._register_module(module, module_name, force)
        if self.mirror is None:
            return
        names = module_name or module.__name__
        for name in [names] if isinstance(names, str) else names:
            # Several registries share a mirror: who comes first has a name,
            # until it is imported again and is another object.
            known = self.mirror.module_dict.get(name)
            if force or known is None or _is_same_code(known, module):
                self.mirror.register_module(name, True, module)


def _is_same_code(one: Any, other: Any) -> bool:
    """Whether two classes or functions were made by the same lines."""
    return all(
        getattr(one, key, None) == getattr(other, key, None)
        for key in ('__module__', '__qualname__')
    )


def build_from_cfg(
    cfg: dict,
    registry: mmengine_registry.Registry,
    default_args: dict | None = None,
) -> Any:
    """Make an object of a config.

    Other than MMEngine's this looks in the given registry whatever the
    default scope is, as packages of mmcv 1.x with several registries expect.

    Args:
        cfg: ``type``, a registered name or a class, and its arguments.
        registry: where a name is looked up.
        default_args: arguments that the config may override.

    Raises:
        TypeError: if the config is no dict or its type no name or callable.
        KeyError: if there is no type, or none of that name is registered.

    Example:
        >>> build_from_cfg(dict(type=complex, real=1), Registry('numbers'))
        (1+0j)
    """
    if not isinstance(cfg, dict):
        raise TypeError(
            f'a config must be a dict, not {type(cfg).__name__}: {cfg}'
        )
    args = {**(default_args or {}), **cfg}
    if 'type' not in args:
        raise KeyError(f'"type" is missing in the config {args}')
    wanted = args['type']
    if isinstance(wanted, str):
        if isinstance(registry, Registry) and registry.is_foreign(wanted):
            return registry.mmengine_root.build(args)
        found = registry.get(wanted)
        if found is None:
            raise KeyError(
                f'{wanted} is not in the registry {registry.name} of '
                f'{registry.scope}. Parts of other packages are named with '
                'theirs, such as `mmd2a.RLELoss`.'
            )
        wanted = found
    elif not (inspect.isclass(wanted) or inspect.isfunction(wanted)):
        raise TypeError(
            'type must be a registered name or a class, not '
            f'{type(wanted).__name__}: {wanted}'
        )
    del args['type']
    return wanted(**args)
