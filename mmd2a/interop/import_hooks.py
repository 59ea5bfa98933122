"""What finders of this package share: they find nothing, they add to it."""

import sys
from collections.abc import Sequence
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
