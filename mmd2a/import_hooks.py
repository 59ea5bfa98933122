"""What finders of this package share: they find nothing, they add to it."""

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class WrappedLoader(Loader):
    """Load a module as its own loader does; subclasses add to it.

    Whatever else the loader offers (source, data files) stays reachable, so
    that tracebacks, ``inspect`` and ``pkgutil`` work as ever.
    """

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__['loader'], name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Leave it to the module's own loader."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Leave it to the module's own loader."""
        self.loader.exec_module(module)


def find_elsewhere(
    finder: MetaPathFinder,
    fullname: str,
    path: Sequence[str] | None,
    target: ModuleType | None = None,
) -> ModuleSpec | None:
    """Find a module as if one finder were not there.

    Args:
        finder: the one to leave out.
        fullname, path, target: as in ``MetaPathFinder.find_spec``.

    Example:
        >>> from mmd2a.interop.mmhuman3d.importing.finder import BridgeFinder
        >>> find_elsewhere(BridgeFinder(), 'json', None).name
        'json'
    """
    for other in sys.meta_path:
        if other is not finder and hasattr(other, 'find_spec'):
            spec = other.find_spec(fullname, path, target)
            if spec is not None:
                return spec
    return None


class _ActingLoader(WrappedLoader):
    """Load a module, then hand it to an action."""

    def __init__(
        self, loader: Any, action: Callable[[ModuleType], None]
    ) -> None:
        super().__init__(loader)
        self.action = action

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        self.action(module)


class _ImportWatch(MetaPathFinder):
    """Has an action follow the import of one module."""

    def __init__(
        self, name: str, action: Callable[[ModuleType], None]
    ) -> None:
        self.name, self.action = name, action

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        spec = find_elsewhere(self, fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _ActingLoader(spec.loader, self.action)
        return spec


def when_imported(name: str, action: Callable[[ModuleType], None]) -> None:
    """Act on a module: now if it is imported, else when it will be.

    Args:
        name: full name of the module, which is not imported for this.
        action: is given the module; asked for twice it is done once.

    Example:
        >>> when_imported('json', lambda module: print(module.__name__))
        json
    """
    if name in sys.modules:
        action(sys.modules[name])
        return
    watch = _ImportWatch(name, action)
    if not any(
        isinstance(other, _ImportWatch)
        and (other.name, other.action) == (watch.name, watch.action)
        for other in sys.meta_path
    ):
        sys.meta_path.insert(0, watch)
