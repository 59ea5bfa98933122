"""Find modules of MMHuman3D and let them import what they were written for."""

import functools
import sys
from collections.abc import Sequence
from importlib import import_module, metadata
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_file_location
from types import ModuleType

from mmd2a.import_hooks import WrappedLoader, find_elsewhere
from mmd2a.requirements import mmcv_version

PACKAGE = 'mmhuman3d'
_REGISTRY = f'{PACKAGE}.registry'
# smplx as MMHuman3D sees it: the same code, loaded once more.
SMPLX_VIEW = f'{__name__.rpartition(".")[0]}.restricted_smplx'
# Whoever imports a module below this one extends the bridge to it.
EXTENDED_TO = f'{__name__.split(".importing")[0]}.extended_to'
_TOO_LATE = (
    '{package} was imported before {call} and therefore does not see the mmcv '
    '1.x that it was written for. Put `{call}` before the first import of '
    '{package} and start Python anew.'
)


class ScopedLoader(WrappedLoader):
    """Load a module as its own loader does, but with scoped imports."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module; its classes pickle with the bridge afterwards."""
        from mmd2a.interop.mmhuman3d.importing.pickling import (
            pickle_with_bridge,
        )
        from mmd2a.interop.mmhuman3d.importing.scoped_import import (
            scoped_builtins,
        )

        # `import` statements call the `__import__` of these.
        vars(module)['__builtins__'] = scoped_builtins()
        self.loader.exec_module(module)
        pickle_with_bridge(module)


class _RegistryLoader(Loader):
    """Serve ``mmhuman3d.registry``, where MMEngine looks a scope up."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return ModuleType(
            spec.name,
            'Registries of MMHuman3D, scope '
            '`mmhuman3d`, in the tree of MMEngine.',
        )

    def exec_module(self, module: ModuleType) -> None:
        from mmd2a.interop.mmhuman3d.importing.registry import REGISTRIES

        vars(module).update(REGISTRIES, __all__=[*REGISTRIES])


class _ExtendingLoader(Loader):
    """Serve ``extended_to.X``: extend the bridge to X, and import it."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return ModuleType(spec.name, 'Stands for a module that was imported.')

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__.removeprefix(f'{EXTENDED_TO}.')
        extend_to(name.partition('.')[0])
        import_module(name)


class BridgeFinder(MetaPathFinder):
    """Stands first in line; knows MMHuman3D and packages it is extended to."""

    def __init__(self) -> None:
        self.packages = {PACKAGE}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find a module where it is installed, and scope its imports."""
        if f'{fullname}.'.startswith(f'{SMPLX_VIEW}.'):
            return self._find_smplx(fullname, path)
        if fullname.startswith(f'{EXTENDED_TO}.'):
            return ModuleSpec(fullname, _ExtendingLoader(), is_package=True)
        package = fullname.partition('.')[0]
        if package not in self.packages or not _is_needed():
            return None
        if fullname != package and not _is_bridged(package):
            if fullname == _REGISTRY:
                raise RuntimeError(
                    _TOO_LATE.format(package=package, call='import mmd2a')
                )
            return None
        spec = find_elsewhere(self, fullname, path, target)
        if spec is None and fullname == _REGISTRY:
            return ModuleSpec(fullname, _RegistryLoader(), origin=__name__)
        if spec is not None and spec.loader is not None:
            spec.loader = ScopedLoader(spec.loader)
        return spec

    def _find_smplx(
        self, fullname: str, path: Sequence[str] | None
    ) -> ModuleSpec | None:
        if fullname != SMPLX_VIEW:
            spec = find_elsewhere(self, fullname, path)
        else:
            installed = find_spec('smplx')
            if installed is None or installed.origin is None:
                return None
            spec = spec_from_file_location(
                fullname,
                installed.origin,
                submodule_search_locations=(
                    installed.submodule_search_locations
                ),
            )
        if spec is not None and spec.loader is not None:
            spec.loader = ScopedLoader(spec.loader)
        return spec


@functools.cache
def _is_needed() -> bool:
    version = mmcv_version()
    return version is None or int(version.split('.')[0]) >= 2


def _is_bridged(package: str) -> bool:
    """Whether a package's own module was loaded with scoped imports."""
    spec = getattr(sys.modules.get(package), '__spec__', None)
    # A namespace package, a plain folder, has no code and no loader of ours.
    return (
        spec is None
        or spec.origin is None
        or isinstance(spec.loader, ScopedLoader)
    )


def _finder() -> BridgeFinder | None:
    return next(
        (
            finder
            for finder in sys.meta_path
            if isinstance(finder, BridgeFinder)
        ),
        None,
    )


def activate() -> None:
    """Let MMHuman3D be imported from here on; imports nothing itself.

    May be called any number of times.

    Example:
        >>> activate()
    """
    if _finder() is None:
        sys.meta_path.insert(0, BridgeFinder())


def extend_to(*packages: str) -> None:
    """Give packages of your own, written for mmcv 1.x, the same view.

    Call it before they are imported, in every process: a worker that is
    spawned runs your main script again, so its top level is a good place.

    Args:
        packages: top-level names, such as ``'my_mesh_project'``.

    Raises:
        RuntimeError: for a package that has already been imported without.

    Example:
        >>> extend_to('my_mesh_project')
    """
    for package in packages:
        if not package.isidentifier():
            raise ValueError(
                f'{package!r} is not the name of a top-level package; name '
                'the package, its modules follow.'
            )
        if package in sys.modules and not _is_bridged(package):
            raise RuntimeError(
                _TOO_LATE.format(
                    package=package, call=f'extend_to({package!r})'
                )
            )
    activate()
    finder = _finder()
    assert finder is not None
    finder.packages.update(packages)
    # pytest, among others, puts finders of its own before ours.
    sys.meta_path.remove(finder)
    sys.meta_path.insert(0, finder)


def describe() -> str:
    """Say whether MMHuman3D runs through the bridge, why, and with what.

    Example:
        >>> describe().split()[0] in {'active:', 'waiting:', 'mmhuman3d'}
        True
    """
    from mmd2a.interop.mmhuman3d.importing.absent_libraries import stood_in_for

    finder = _finder()
    if not _is_needed():
        return f'inert: mmcv {mmcv_version()} is what mmhuman3d was made for'
    if finder is None:
        return 'not active'
    if find_spec(PACKAGE) is None:
        return 'mmhuman3d is not installed'
    if PACKAGE not in sys.modules:
        state = 'waiting: becomes active at the first import of mmhuman3d'
    elif not _is_bridged(PACKAGE):
        return 'inert: mmhuman3d was imported before mmd2a'
    else:
        state = (
            f'active: mmhuman3d {_version(PACKAGE)} sees mmcv '
            f'{mmcv_version()} by the names of mmcv 1.x'
        )
    parts = [state]
    if stood_in_for():
        parts.append(f'stands in for {", ".join(stood_in_for())}')
    if len(finder.packages) > 1:
        others = sorted(finder.packages - {PACKAGE})
        parts.append(f'extended to {", ".join(others)}')
    return '; '.join(parts)


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return '(version unknown)'
