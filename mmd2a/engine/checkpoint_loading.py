"""Loading checkpoints that others made, without running what is in them.

A pickled checkpoint can name any function and have it called. torch 2.6 and
later refuse that by default, and with it every training checkpoint MMEngine
0.10 writes. Here MMEngine's loaders keep the refusal, for downloads too, and
get a list of the harmless types such checkpoints are made of.
"""
import functools
import os
import pickle
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

_SCHEMES = {
    '': 'load_from_local',
    'http://': 'load_from_http',
    'https://': 'load_from_http',
    'modelzoo://': 'load_from_torchvision',
    'torchvision://': 'load_from_torchvision',
    'open-mmlab://': 'load_from_openmmlab',
    'openmmlab://': 'load_from_openmmlab',
    'mmcls://': 'load_from_mmcls',
}
_FORCE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'


class UntrustedCheckpointError(RuntimeError):
    """A checkpoint asks for something outside the allow-list."""


def restrict_checkpoint_loading() -> None:
    """Make MMEngine's checkpoint loaders safe and able to read its own files.

    Replaces them through ``CheckpointLoader.register_scheme``. Afterwards
    ``load_from``, ``resume`` and ``init_cfg=dict(type='Pretrained', ...)``
    never run code from a checkpoint. May be called any number of times.

    Example:
        >>> restrict_checkpoint_loading()
    """
    for prefix, name in _SCHEMES.items():
        loader = getattr(mmengine_checkpoint, name)
        CheckpointLoader.register_scheme(prefix, _restricted(loader),
                                         force=True)


def read_checkpoint(filename: str, map_location: Any = None) -> Any:
    """Read a checkpoint under the same restriction, MMEngine left alone.

    Args:
        filename: a file, a URL or another address that MMEngine knows.
        map_location: device to read to.

    Raises:
        UntrustedCheckpointError: if it asks for more than is allowed.
    """
    read = _restricted(CheckpointLoader.load_checkpoint)
    return read(filename, map_location=map_location)


def _history_statistic(owner: Any, name: str) -> Callable:
    """Stand for ``getattr``, which a pickled ``HistoryBuffer`` asks for.

    It does so to find its own statistics again, and gets nothing else.
    """
    if owner is HistoryBuffer and name in HistoryBuffer._statistics_methods:
        return HistoryBuffer._statistics_methods[name]
    owner_name = getattr(owner, '__qualname__', type(owner).__qualname__)
    raise pickle.UnpicklingError(
        f'Unsupported global: GLOBAL getattr:{owner_name}.{name}')


def _allowed_globals() -> list:
    """Arrays, NumPy numbers and MMEngine's log history; no functions that
    do more than to build those."""
    HistoryBuffer()  # fills in the standard statistics
    array_maker = np.empty(0).__reduce__()[0]
    scalar_maker = np.float64(0).__reduce__()[0]
    dtypes = {type(np.dtype(code)) for code in np.typecodes['All']}
    allowed: list = [HistoryBuffer, np.ndarray, np.dtype, *dtypes]
    for core in ('numpy.core', 'numpy._core'):  # NumPy 1, NumPy 2
        allowed += [(array_maker, f'{core}.multiarray._reconstruct'),
                    (scalar_maker, f'{core}.multiarray.scalar')]
    for builtins in ('builtins', '__builtin__'):
        allowed.append((_history_statistic, f'{builtins}.getattr'))
    return allowed


@contextmanager
def _weights_only() -> Iterator[None]:
    """Have every ``torch.load`` inside refuse what is not allowed.

    The environment variable is torch's own and also reaches calls that ask
    for less, as downloads through ``torch.hub`` do.
    """
    before = os.environ.get(_FORCE)
    os.environ[_FORCE] = '1'
    try:
        with torch.serialization.safe_globals(_allowed_globals()):
            yield
    finally:
        if before is None:
            del os.environ[_FORCE]
        else:
            os.environ[_FORCE] = before


def _restricted(loader: Callable) -> Callable:

    @functools.wraps(loader)
    def load(filename: str, map_location: Any = None) -> Any:
        with _weights_only():
            try:
                return loader(filename, map_location=map_location)
            except pickle.UnpicklingError as error:
                raise UntrustedCheckpointError(
                    _explain_refusal(filename, str(error))) from None
            except (EOFError, RuntimeError) as error:
                if _is_damaged(error):
                    raise RuntimeError(
                        f'{filename} is not a complete checkpoint: it was '
                        'cut short while being written, copied or '
                        'downloaded. Use an earlier one, or fetch it again.'
                    ) from error
                raise

    return load


def _is_damaged(error: Exception) -> bool:
    return (isinstance(error, EOFError)
            or 'PytorchStreamReader failed' in str(error))


def _explain_refusal(filename: str, reason: str) -> str:
    wanted = sorted(_unsafe_globals(filename)
                    or re.findall(r'GLOBAL (\S+)', reason))
    if wanted:
        what = f'it asks to import {", ".join(wanted)}'
    else:
        what = reason.splitlines()[0]
    return (f'{filename} was refused: {what}. Loading that could run any '
            'code, so only tensors, numbers, strings, lists, dicts, arrays '
            'and MMEngine\'s log history are read. If you trust its maker, '
            'either save it again where it was made, with the weights only '
            '(`torch.save(dict(state_dict=checkpoint["state_dict"]), path)`),'
            ' or allow the named classes in a module listed in the config\'s '
            '`custom_imports` (`torch.serialization.add_safe_globals(...)`).')


def _unsafe_globals(filename: str) -> list[str]:
    try:
        return torch.serialization.get_unsafe_globals_in_checkpoint(filename)
    except Exception:  # not a local file, or an older format: no list
        return []
