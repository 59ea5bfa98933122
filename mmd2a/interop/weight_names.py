"""Let MMEngine load weights by name, ``mmd2a://NAME``.

MMEngine chooses what reads a checkpoint by how its address begins; a scheme
of ours is registered the documented way. So it works for ``load_from``, for
``init_cfg=dict(type='Pretrained', ...)``, for ``mmengine.hub.get_model`` and
for other packages' tools, once this package is imported.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from mmd2a.interop.import_hooks import WrappedLoader, find_elsewhere

_LOADERS = 'mmengine.runner.checkpoint'
_SCHEME = 'mmd2a://'


class _RegisteringLoader(WrappedLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        _register(module)


class _LoadersFinder(MetaPathFinder):
    """Registers the scheme when MMEngine's are imported, not before."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname != _LOADERS:
            return None
        spec = find_elsewhere(self, fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _RegisteringLoader(spec.loader)
        return spec


def load_from_mmd2a(filename: str, map_location: Any = None) -> dict:
    """Read weights that ship; MMEngine's log says the name of this."""
    from mmd2a.weights import read_weights

    return read_weights(filename, map_location)


def _register(loaders: ModuleType) -> None:
    loaders.CheckpointLoader.register_scheme(
        _SCHEME, load_from_mmd2a, force=True
    )


def activate() -> None:
    """Register the scheme with MMEngine.

    Where MMEngine's loaders have not been imported, it is done when that
    happens.

    Example:
        >>> activate()
        >>> from mmengine.runner.checkpoint import CheckpointLoader
        >>> CheckpointLoader.load_checkpoint('mmd2a://nothing')
        Traceback (most recent call last):
        mmd2a.engine.checkpoint_files.CheckpointError: there are no weights \
mmd2a://nothing...
    """
    module = sys.modules.get(_LOADERS)
    if hasattr(module, 'CheckpointLoader'):
        _register(module)  # type: ignore[arg-type]
    elif not any(isinstance(f, _LoadersFinder) for f in sys.meta_path):
        sys.meta_path.insert(0, _LoadersFinder())


def describe() -> str:
    """Say how weights of this package are named."""
    return 'active: weights that ship load as mmd2a://NAME'
