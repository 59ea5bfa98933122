"""Let MMEngine load weights by name, ``mmd2a://NAME``.

MMEngine chooses what reads a checkpoint by how its address begins; a scheme
of ours is registered the documented way. So it works for ``load_from``, for
``init_cfg=dict(type='Pretrained', ...)``, for ``mmengine.hub.get_model`` and
for other packages' tools, once this package is imported.
"""

from types import ModuleType
from typing import Any

from mmd2a.import_hooks import when_imported

_LOADERS = 'mmengine.runner.checkpoint'
_SCHEME = 'mmd2a://'


def load_from_mmd2a(filename: str, map_location: Any = None) -> dict:
    """Read weights that ship; MMEngine's log says the name of this."""
    from mmd2a.weights import read_weights

    return read_weights(filename, map_location)


def _register(loaders: ModuleType) -> None:
    # Not there yet if this package is imported in the midst of MMEngine's.
    if hasattr(loaders, 'CheckpointLoader'):
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
    when_imported(_LOADERS, _register)


def describe() -> str:
    """Say how weights of this package are named."""
    return 'active: weights that ship load as mmd2a://NAME'
