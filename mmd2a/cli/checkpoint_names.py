"""Checkpoints as they are named on a command line or in a config."""

import os.path as osp

from mmd2a.cli.tool_config import UsageError, check_file
from mmd2a.engine.checkpoint_files import CheckpointError
from mmd2a.weights import SCHEME, find_weights

__all__ = ['checkpoint_address']


def checkpoint_address(name: str) -> str:
    """Find a checkpoint: a file, weights that ship, or an address.

    Args:
        name: path of a file; ``mmd2a://NAME`` or ``NAME`` of weights that
            ship; or an address on the net, which is not tried.

    Returns:
        What MMEngine loads it by.

    Raises:
        UsageError: there is none; the weights that there are, if it may have
            been meant as one of them.

    Example:
        >>> checkpoint_address('epoch_1.pth')
        Traceback (most recent call last):
        mmd2a.cli.tool_config.UsageError: there is no checkpoint epoch_1.pth
    """
    if osp.isfile(osp.expanduser(name)):
        return name
    bare = not osp.splitext(name)[1] and osp.basename(name) == name
    if name.startswith(SCHEME) or bare:
        try:
            return find_weights(name)[0].address
        except CheckpointError as error:
            what = '' if name.startswith(SCHEME) else f'no file {name}, and '
            raise UsageError(f'{what}{error}') from error
    check_file(name, 'checkpoint')
    return name
