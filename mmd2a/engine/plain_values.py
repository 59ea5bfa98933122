"""Checkpoints of plain values: what ``torch.load`` reads without trust.

MMEngine puts NumPy arrays, NumPy numbers and its own ``HistoryBuffer`` into a
checkpoint, which ``torch.load(weights_only=True)``, the default since torch
2.6, refuses. Here they travel as tensors, numbers, strings, lists and dicts.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

# Descriptive parts, which training can do without: what has no plain form is
# left out of them. Anywhere else it is an error, since it would be missed.
_DESCRIPTIVE = ('meta', 'message_hub')
_PLAIN_FLAG = 'plain_values'
_AS_IT_IS = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    torch.Size,
    torch.dtype,
    torch.device,
)


def make_plain(checkpoint: dict[str, Any]) -> list[str]:
    """Turn all values of a checkpoint into plain ones, in place.

    Arrays become tensors, NumPy numbers Python numbers, history buffers dicts
    of tensors, dict and list subclasses dicts and lists. Objects shared with
    the running training are not touched.

    Args:
        checkpoint: what ``Runner.save_checkpoint`` hands to its hooks.

    Returns:
        Descriptive entries that have no plain form and were left out.

    Raises:
        TypeError: an entry outside the descriptive parts has no plain form.

    Example:
        >>> checkpoint = dict(meta=dict(sigmas=np.ones(2)))
        >>> make_plain(checkpoint)
        []
        >>> checkpoint['meta']['sigmas']
        tensor([1., 1.], dtype=torch.float64)
    """
    left_out: list[str] = []
    for key, value in checkpoint.items():
        converter = _Converter(left_out if key in _DESCRIPTIVE else None)
        checkpoint[key] = converter.convert(value, key)
    checkpoint.setdefault('meta', {})[_PLAIN_FLAG] = True
    return left_out


def restore_values(checkpoint: dict[str, Any]) -> None:
    """Give a checkpoint of plain values its working types back, in place.

    History buffers and the arrays in the descriptive parts; checkpoints that
    :func:`make_plain` did not make are left alone.

    Args:
        checkpoint: a loaded checkpoint.
    """
    meta = checkpoint.get('meta')
    if not isinstance(meta, dict) or not meta.pop(_PLAIN_FLAG, False):
        return
    checkpoint['meta'] = _tensors_to_arrays(meta)
    hub = checkpoint.get('message_hub')
    if isinstance(hub, dict):
        hub['runtime_info'] = _tensors_to_arrays(hub['runtime_info'])
        hub['log_scalars'] = OrderedDict(
            (name, _restore_history(history))
            for name, history in hub['log_scalars'].items()
        )


class _NotPlain(TypeError):
    """A value without a plain form."""


class _Converter:
    """Converts values; notes what it leaves out, or raises if it may not."""

    def __init__(self, left_out: list[str] | None) -> None:
        self.left_out = left_out

    @contextmanager
    def _may_be_left_out(self) -> Iterator[None]:
        try:
            yield
        except _NotPlain as error:
            if self.left_out is None:
                raise
            self.left_out.append(str(error))

    def convert(self, value: Any, where: str) -> Any:
        kind = type(value)
        if kind in _AS_IT_IS or isinstance(value, torch.Tensor):
            return value
        if isinstance(value, HistoryBuffer):
            log_history, count_history = value.data
            return dict(
                log_history=torch.tensor(log_history),
                count_history=torch.tensor(count_history),
                max_length=value.max_length,
            )
        if isinstance(value, np.ndarray):
            return self._array(value, where)
        if isinstance(value, np.generic):
            return self.convert(value.item(), where)
        if isinstance(value, Enum):
            return self.convert(value.value, where)
        if isinstance(value, PurePath):
            return str(value)
        if isinstance(value, dict):
            return self._mapping(value, where)
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._sequence(value, where)
        for base in (int, float, str):
            if isinstance(value, base):
                return base(value)
        raise _NotPlain(
            f'{where} is a {kind.__module__}.{kind.__qualname__}, which has '
            'no plain form and so does not belong in a checkpoint: keep '
            'tensors, numbers, strings, lists or dicts there'
        )

    def _array(self, array: np.ndarray, where: str) -> Any:
        try:
            return torch.from_numpy(array.copy())
        except TypeError:  # strings, objects
            return self.convert(array.tolist(), where)

    def _mapping(self, mapping: dict, where: str) -> dict:
        # A state dict carries its modules' versions as an attribute, which
        # torch reads back for this one type.
        ordered = type(mapping) is OrderedDict
        plain: dict = OrderedDict() if ordered else {}
        if ordered:
            vars(plain).update(vars(mapping))
        for key, value in mapping.items():
            with self._may_be_left_out():
                name = f'{where}[{key!r}]'
                plain[self.convert(key, name)] = self.convert(value, name)
        return plain

    def _sequence(self, sequence: Any, where: str) -> Any:
        plain = []
        for index, value in enumerate(sequence):
            plain.append(self.convert(value, f'{where}[{index}]'))
        for kind in (tuple, list):
            if isinstance(sequence, kind):
                return kind(plain)
        return set(plain)


def _tensors_to_arrays(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.cpu().numpy()
    if isinstance(value, dict):
        return type(value)(
            (k, _tensors_to_arrays(v)) for k, v in value.items()
        )
    if isinstance(value, (list, tuple)):
        return type(value)(_tensors_to_arrays(v) for v in value)
    return value


def _restore_history(history: Any) -> Any:
    if not isinstance(history, dict):
        return history
    return HistoryBuffer(
        history['log_history'].cpu().numpy(),
        history['count_history'].cpu().numpy(),
        history['max_length'],
    )
