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
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

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


class CheckpointError(RuntimeError):
    """A file that does not do as the checkpoint it is asked to be."""


class UntrustedCheckpointError(CheckpointError):
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
        CheckpointLoader.register_scheme(
            prefix, _restricted(loader), force=True
        )


def read_checkpoint(filename: str, map_location: Any = None) -> Any:
    """Read a checkpoint under the same restriction, MMEngine left alone.

    Args:
        filename: a file, a URL or another address that MMEngine knows.
        map_location: device to read to.

    Raises:
        UntrustedCheckpointError: if it asks for more than is allowed.
        CheckpointError: if it is damaged.
    """
    read = _restricted(CheckpointLoader.load_checkpoint)
    return read(filename, map_location=map_location)


def load_every_parameter(model: nn.Module, checkpoint: Any) -> None:
    """Load a checkpoint that has to have all parameters of a model.

    MMEngine loads what fits and leaves the rest as it was initialised. Before
    an evaluation that is a mistake: numbers of a half-random network. Buffers
    may be missing, and what a checkpoint has beyond the model is left out.
    So are bodies (SMPL and its kin): they come from their own files.

    Args:
        model: the model, not wrapped for several ranks.
        checkpoint: what was read from the file: a state dict, or a dict with
            one as ``state_dict``. Keys may start with ``module.``.

    Raises:
        CheckpointError: parameters are missing or of another shape, or there
            are no weights in it.

    Example:
        >>> load_every_parameter(nn.Linear(1, 2), nn.Linear(1, 2).state_dict())
        >>> load_every_parameter(nn.Linear(1, 2), {})
        Traceback (most recent call last):
        mmd2a.engine.checkpoint_loading.CheckpointError: ...
    """
    weights = (
        checkpoint.get('state_dict', checkpoint)
        if isinstance(checkpoint, dict)
        else checkpoint
    )
    if not isinstance(weights, dict):
        raise CheckpointError(
            'the checkpoint has no weights, but a '
            f'{type(weights).__name__} in their place'
        )
    bodies = tuple(
        f'{name}.'
        for name, module in model.named_modules()
        if _is_body(module)
    )
    state = OrderedDict(
        (re.sub(r'^module\.', '', key), value)
        for key, value in weights.items()
    )
    for key in [key for key in state if key.startswith(bodies)]:
        del state[key]
    state._metadata = getattr(weights, '_metadata', {})  # type: ignore
    try:
        # Unlike MMEngine's, torch's loading tells what did not fit, after
        # modules have renamed what older versions of them have written.
        missing, unexpected = model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        # A heading, then a line per parameter of another shape.
        problem = str(error).split('\n')[:2][-1].strip('\t .')
        raise _of_another_model(problem) from error
    parameters = {
        name
        for name, _ in model.named_parameters()
        if not name.startswith(bodies)
    }
    missing = [key for key in missing if key in parameters]
    if missing:
        problem = (
            f'{len(missing)} of {len(parameters)} parameters are '
            f'missing ({_first(missing)})'
        )
        if unexpected:
            problem += (
                f', {len(unexpected)} are not of this model '
                f'({_first(unexpected)})'
            )
        raise _of_another_model(problem)


def _is_body(module: nn.Module) -> bool:
    """Whether it is from `smplx.body_models`, ours or MMHuman3D's."""
    return any(
        'body_models' in kind.__module__.split('.')
        for kind in type(module).__mro__
    )


def _of_another_model(problem: str) -> CheckpointError:
    return CheckpointError(
        f'the checkpoint is of another model: {problem}. '
        'Give the same --cfg-options as in training'
    )


def _first(names: list[str]) -> str:
    return ', '.join(names[:3]) + (', ...' if len(names) > 3 else '')


def _history_statistic(owner: Any, name: str) -> Callable:
    """Stand for ``getattr``, which a pickled ``HistoryBuffer`` asks for.

    It does so to find its own statistics again, and gets nothing else.
    """
    if owner is HistoryBuffer and name in HistoryBuffer._statistics_methods:
        return HistoryBuffer._statistics_methods[name]
    owner_name = getattr(owner, '__qualname__', type(owner).__qualname__)
    raise pickle.UnpicklingError(
        f'Unsupported global: GLOBAL getattr:{owner_name}.{name}'
    )


def _allowed_globals() -> list:
    """Arrays, NumPy numbers and MMEngine's log history; no functions that
    do more than to build those."""
    HistoryBuffer()  # fills in the standard statistics
    array_maker = np.empty(0).__reduce__()[0]
    scalar_maker = np.float64(0).__reduce__()[0]
    dtypes = {type(np.dtype(code)) for code in np.typecodes['All']}
    allowed: list = [HistoryBuffer, np.ndarray, np.dtype, *dtypes]
    for core in ('numpy.core', 'numpy._core'):  # NumPy 1, NumPy 2
        allowed += [
            (array_maker, f'{core}.multiarray._reconstruct'),
            (scalar_maker, f'{core}.multiarray.scalar'),
        ]
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
                    _explain_refusal(filename, str(error))
                ) from None
            except (EOFError, RuntimeError) as error:
                if _is_damaged(error):
                    raise CheckpointError(
                        f'{filename} is not a complete checkpoint: it was '
                        'cut short while being written, copied or '
                        'downloaded. Use an earlier one, or fetch it again.'
                    ) from error
                raise

    return load


def _is_damaged(error: Exception) -> bool:
    return isinstance(error, EOFError) or 'PytorchStreamReader failed' in str(
        error
    )


def _explain_refusal(filename: str, reason: str) -> str:
    wanted = sorted(
        _unsafe_globals(filename) or re.findall(r'GLOBAL (\S+)', reason)
    )
    if wanted:
        what = f'it asks to import {", ".join(wanted)}'
    else:
        what = reason.splitlines()[0]
    return (
        f'{filename} was refused: {what}. Loading that could run any '
        'code, so only tensors, numbers, strings, lists, dicts, arrays '
        "and MMEngine's log history are read. If you trust its maker, "
        'either save it again where it was made, with the weights only '
        '(`torch.save(dict(state_dict=checkpoint["state_dict"]), path)`),'
        " or allow the named classes in a module listed in the config's "
        '`custom_imports` (`torch.serialization.add_safe_globals(...)`).'
    )


def _unsafe_globals(filename: str) -> list[str]:
    try:
        return torch.serialization.get_unsafe_globals_in_checkpoint(filename)
    except Exception:  # not a local file, or an older format: no list
        return []
