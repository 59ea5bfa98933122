"""The model among the weights that ship."""

from mmd2a.cli.tool_config import UsageError
from mmd2a.engine.checkpoint_files import CheckpointError
from mmd2a.weights import WeightsEntry, find_weights, read_index
from mmd2a.weights.index import weights_folders

__all__ = ['require_shipped_model', 'shipped_model']


def shipped_model() -> WeightsEntry | None:
    """First whole model of the index: of the package, then of one's own.

    Returns:
        Its entry; None while there are but initial weights, or none.

    Example:
        >>> entry = shipped_model()
        >>> entry is None or entry.parts == []
        True
    """
    for folder in weights_folders():
        for entry in read_index(folder).values():
            if not entry.parts:
                return entry
    return None


def require_shipped_model(name: str | None) -> WeightsEntry:
    """Find a whole model by its name.

    Args:
        name: of the index, or ``mmd2a://NAME``; None takes the first one.

    Raises:
        UsageError: there is none, or it is no whole model.

    Example:
        >>> require_shipped_model('nothing')
        Traceback (most recent call last):
        mmd2a.cli.tool_config.UsageError: there are no weights \
mmd2a://nothing...
    """
    if name is None:
        entry = shipped_model()
        if entry is None:
            raise UsageError(
                'no model ships with this version; make one of a checkpoint '
                'with tools/weights/export_weights.py'
            )
        return entry
    try:
        entry, _ = find_weights(name)
    except CheckpointError as error:
        raise UsageError(str(error)) from error
    if entry.parts:
        raise UsageError(
            f'{entry.address} are initial weights, they have only '
            f'{", ".join(entry.parts)}: name a whole model'
        )
    return entry
