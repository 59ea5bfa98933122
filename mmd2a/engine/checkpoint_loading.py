"""Loading checkpoints that others made, without running what is in them.

A pickled checkpoint can name any function and have it called. torch 2.6 and
later refuse that by default, and with it every training checkpoint MMEngine
0.10 writes. Here MMEngine's loaders keep the refusal, for downloads too, and
get a list of the harmless types such checkpoints are made of.

Over 350 lines because each refusal tells its way out.
"""

import functools
import os
import os.path as osp
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from mmd2a.engine.checkpoint_files import (
    CheckpointError,
    check_checkpoint_file,
    damaged,
)

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
# How torch, and we, begin to say that something is not allowed; otherwise it
# has met what no pickle holds.
_REFUSED = r'Unsupported (?!operand)|Trying to|Can only'
_FORCE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'


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

    Nothing is logged.

    Args:
        filename: a file, a URL or another address that MMEngine knows.
        map_location: device to read to.

    Raises:
        UntrustedCheckpointError: if it asks for more than is allowed.
        CheckpointError: if it is damaged.
    """
    load = functools.partial(CheckpointLoader.load_checkpoint, logger='silent')
    read = _restricted(load)
    return read(filename, map_location=map_location)


def load_every_parameter(
    model: nn.Module, checkpoint: Any, filename: str = 'the checkpoint'
) -> None:
    """Load a checkpoint that has to have all parameters of a model.

    MMEngine loads what fits and leaves the rest as it was initialised. Before
    an evaluation that is a mistake: numbers of a half-random network. Buffers
    may be missing, and what a checkpoint has beyond the model is left out.
    So are bodies (SMPL and its kin): they come from their own files.

    Args:
        model: the model, not wrapped for several ranks.
        checkpoint: what was read from the file: a state dict, or a dict with
            one as ``state_dict``. Keys may start with ``module.``.
        filename: what to call it in an error.

    Raises:
        CheckpointError: parameters are missing, of another shape or not
            finite, or there are no weights in it.

    Example:
        >>> load_every_parameter(nn.Linear(1, 2), nn.Linear(1, 2).state_dict())
        >>> load_every_parameter(nn.Linear(1, 2), {})
        Traceback (most recent call last):
        mmd2a.engine.checkpoint_files.CheckpointError: ...
    """
    weights = checkpoint_weights(checkpoint, filename)
    bodies = tuple(
        f'{name}.' for name, module in model.named_modules() if is_body(module)
    )
    state = OrderedDict(
        (key, value)
        for key, value in weights.items()
        if not key.startswith(bodies)
    )
    state._metadata = getattr(weights, '_metadata', {})  # type: ignore
    parameters = {
        name: parameter
        for name, parameter in model.named_parameters()
        if not name.startswith(bodies)
    }
    for name in parameters.keys() & state.keys():
        # torch would keep the real part.
        if isinstance(state[name], Tensor) and state[name].is_complex():
            raise _of_another_model(filename, f'{name} is complex')
    try:
        # Unlike MMEngine's, torch's loading tells what did not fit, after
        # modules have renamed what older versions of them have written.
        missing, unexpected = model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        # A heading, then a line per parameter of another shape.
        problem = str(error).split('\n')[:2][-1].strip('\t .')
        raise _of_another_model(filename, problem) from error
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
        raise _of_another_model(filename, problem)
    _require_finite(model, parameters, state.keys(), filename)


def checkpoint_weights(
    checkpoint: Any, filename: str = 'the checkpoint'
) -> OrderedDict[str, Any]:
    """Find the weights in a checkpoint, by the names of the bare model.

    Args:
        checkpoint: a state dict, or a dict with one as ``state_dict``.
        filename: what to call it in an error.

    Raises:
        CheckpointError: there are none.

    Example:
        >>> list(checkpoint_weights({'module.a': torch.zeros(1)}))
        ['a']
    """
    weights = (
        checkpoint.get('state_dict', checkpoint)
        if isinstance(checkpoint, dict)
        else checkpoint
    )
    if not isinstance(weights, dict):
        raise CheckpointError(
            f'{filename} has no weights, but a {type(weights).__name__} in '
            'their place. Name a checkpoint of a training'
        )
    if not all(isinstance(key, str) for key in weights):
        raise CheckpointError(
            f'{filename} has no weights: its state_dict has keys that are no '
            'names of parameters. Name a checkpoint of a training'
        )
    renamed = OrderedDict(
        (re.sub(r'^module\.', '', key), value)
        for key, value in weights.items()
    )
    renamed._metadata = getattr(weights, '_metadata', {})  # type: ignore
    return renamed


def _require_finite(
    model: nn.Module,
    parameters: dict[str, nn.Parameter],
    loaded: Collection[str],
    filename: str,
) -> None:
    """Refuse parameters, and statistics beside them, that are not numbers."""
    bad = [n for n, p in parameters.items() if not torch.isfinite(p).all()]
    # Buffers may hold infinities on purpose, as attention masks do.
    bad += [
        name
        for name, buffer in model.named_buffers()
        if name in loaded and torch.isnan(buffer).any()
    ]
    if bad:
        raise CheckpointError(
            f'{filename} has {len(bad)} tensors with values that are not '
            f'finite ({_first(bad)}): the training had diverged. Use an '
            'earlier checkpoint'
        )


def is_body(module: nn.Module) -> bool:
    """Whether it is from `smplx.body_models`, ours or MMHuman3D's."""
    return any(
        'body_models' in kind.__module__.split('.')
        for kind in type(module).__mro__
    )


def _of_another_model(filename: str, problem: str) -> CheckpointError:
    return CheckpointError(
        f'{filename} is of another model: {problem}. '
        'Name the config, and the --cfg-options, that it was trained with'
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


def _empty_array(kind: type, shape: tuple[int, ...], _: bytes) -> np.ndarray:
    """What a pickled array is before its values, shape and type are set.

    NumPy's own function would take any shape, and the memory for it.
    """
    if kind is not np.ndarray or shape != (0,):
        raise pickle.UnpicklingError(
            f'Unsupported array of shape {shape} before its values'
        )
    return np.empty(0, np.int8)


def _allowed_globals() -> list:
    """Arrays, NumPy numbers, paths and MMEngine's log history; no functions
    that do more than to build those."""
    HistoryBuffer()  # fills in the standard statistics
    scalar_maker = np.float64(0).__reduce__()[0]
    dtypes = {type(np.dtype(code)) for code in np.typecodes['All']}
    allowed: list = [HistoryBuffer, np.ndarray, np.dtype, *dtypes]
    for core in ('numpy.core', 'numpy._core'):  # NumPy 1, NumPy 2
        allowed += [
            (_empty_array, f'{core}.multiarray._reconstruct'),
            (scalar_maker, f'{core}.multiarray.scalar'),
        ]
    for builtins in ('builtins', '__builtin__'):
        allowed.append((_history_statistic, f'{builtins}.getattr'))
    # Paths, which mmcv 1.x keeps in `meta`; pure, so that those of another
    # system can be made here. From Python 3.13 on they are of `_local`.
    for module in ('pathlib', 'pathlib._local'):
        for system, path in (
            ('Posix', PurePosixPath),
            ('Windows', PureWindowsPath),
        ):
            allowed += [
                (path, f'{module}.{system}Path'),
                (path, f'{module}.Pure{system}Path'),
            ]
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
        local = '://' not in str(filename)
        if local:
            check_checkpoint_file(osp.expanduser(filename))
        with _weights_only():
            try:
                return loader(filename, map_location=map_location)
            except CheckpointError:
                raise
            except pickle.UnpicklingError as error:
                raise _explain_refusal(filename, str(error)) from None
            except Exception as error:
                # What torch stumbles over in a damaged file may be anything;
                # what happens on the way to a download is another matter.
                if local or _is_damaged(error):
                    raise damaged(filename, _first_line(error)) from error
                raise

    return load


def _is_damaged(error: Exception) -> bool:
    return isinstance(error, EOFError) or 'PytorchStreamReader failed' in str(
        error
    )


def _first_line(error: Exception) -> str:
    """What torch says, without the places in its source."""
    if isinstance(error, EOFError) or _is_damaged(error):
        return 'its end is missing'
    lines = str(error).strip().splitlines() or [type(error).__name__]
    text = re.sub(r'^\[enforce fail at [^\]]*\]\s*\.?\s*', '', lines[0])
    return f'torch says "{text[:200]}"'


def _explain_refusal(filename: str, reason: str) -> CheckpointError:
    wanted = sorted(
        _unsafe_globals(filename) or re.findall(r'GLOBAL (\S+)', reason)
    )
    if not wanted and not re.search(_REFUSED, reason):
        return damaged(filename, 'it does not begin or go on as one')
    if wanted:
        what = f'it asks to import {", ".join(wanted[:5])}'
        if len(wanted) > 5:
            what += f' and {len(wanted) - 5} more'
    else:
        what = reason.splitlines()[0]
    return UntrustedCheckpointError(
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
