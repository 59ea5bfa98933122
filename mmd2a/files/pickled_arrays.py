"""The arrays of a pickle, made without trust in what it says of them.

NumPy follows what a pickle says of a type, scipy what it says of indices,
without looking: an array of objects that are none, a field behind the end of
its row, an index outside a matrix. What is made here was checked first, and
arrays keep no part that the rest of the pickle could still change.
"""

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

_scalar: Callable = np.float64(0).__reduce__()[0]  # type: ignore[assignment]
_INDICES = ('indices', 'indptr', 'row', 'col', 'offsets')


class ChumpyLeaf:
    """Stands for ``chumpy.ch.Ch``, an array; read as that array."""


class ChumpySelection:
    """Stands for ``chumpy.reordering.Select``, some elements of an array."""


def make_dtype(spec: Any, align: Any = False, copy: Any = True) -> np.dtype:
    """Make a type of its code, one that nobody else has.

    Raises:
        ValueError: it is not a code, such as ``'f8'``.
    """
    if not isinstance(spec, (str, bytes)):
        raise ValueError(f'a dtype of a {type(spec).__name__}')
    return np.dtype(spec, copy=True)  # type: ignore[arg-type]


def fill_dtype(dtype: np.dtype, state: Any) -> None:
    """Give a type its byte order, fields or unit.

    Raises:
        ValueError: the state is not one that NumPy writes.
    """
    if not isinstance(state, tuple) or len(state) not in (8, 9):
        raise ValueError('a dtype with an unknown state')
    order, inner, names, fields, size = state[1:6]
    genuine = dtype
    if inner is not None or names is not None:
        if dtype.kind != 'V' or dtype.names or dtype.subdtype:
            raise ValueError(f'fields of a dtype {dtype.kind}')
        genuine = _with_fields(inner, names, fields, size)
    elif dtype.kind in 'mM' and len(state) == 9:
        unit, number = state[8][1][:2]
        unit = unit.decode() if isinstance(unit, bytes) else unit
        if unit != 'generic':
            genuine = np.dtype(f'{dtype.kind}8[{int(number)}{unit}]')
    if genuine.itemsize != dtype.itemsize:
        raise ValueError('a dtype of another size')
    if order in ('<', '>'):
        genuine = genuine.newbyteorder(order)
    dtype.__setstate__(  # type: ignore[attr-defined]
        _own(genuine).__reduce__()[2]
    )


def make_array(subtype: Any, shape: Any, dtype: Any) -> np.ndarray:
    """Make an array that waits for its numbers, as all arrays begin.

    Raises:
        ValueError: an array that is not empty, or of a subclass.
    """
    if subtype is not np.ndarray or tuple(shape) != (0,):
        raise ValueError(f'an array of {subtype!r} {shape!r}')
    return np.empty(0)


def fill_array(array: np.ndarray, state: Any) -> None:
    """Give an array its shape and numbers.

    Raises:
        ValueError: the array has some already, or more or fewer come than
            the shape says.
    """
    if not isinstance(state, tuple) or len(state) not in (4, 5):
        raise ValueError('an array with an unknown state')
    shape, dtype, fortran, data = state[-4:]
    if not _is_shape(shape) or not isinstance(dtype, np.dtype):
        raise ValueError('an array without a shape and a dtype')
    number = math.prod(shape)
    if dtype.hasobject and (type(data) is not list or len(data) != number):
        raise ValueError(f'an array of {number} objects without them')
    if number and not dtype.itemsize:
        raise ValueError(f'an array of {number} elements without a size')
    _fill(array, (1, shape, _own(dtype), bool(fortran), data))


def array_of_buffer(
    buffer: Any, dtype: Any, shape: Any, order: Any, *_: Any
) -> np.ndarray:
    """Make an array over bytes.

    Raises:
        ValueError: no bytes, or not as many as the shape says.
    """
    if not isinstance(
        buffer, (bytes, bytearray, memoryview, pickle.PickleBuffer)
    ):
        raise ValueError(f'an array over a {type(buffer).__name__}')
    flat = np.frombuffer(memoryview(buffer), _plain(dtype))
    return flat.reshape(shape, order=order)


def scalar_of_bytes(dtype: Any, data: Any = None) -> Any:
    """Make a number of NumPy.

    Raises:
        ValueError: of objects, or without bytes enough.
    """
    if isinstance(data, str):
        data = data.encode('latin1')
    if not isinstance(data, bytes):
        raise ValueError(f'a scalar of a {type(data).__name__}')
    return _scalar(_plain(dtype), data)


def fill_sparse(matrix: Any, state: Any) -> None:
    """Give a matrix of scipy its parts, and check every index.

    Raises:
        ValueError: parts that make no matrix.
    """
    if not isinstance(state, dict):
        raise ValueError('a sparse matrix with an unknown state')
    shape: Any = state.get('_shape', state.get('shape'))
    parts: dict[str, Any] = {k: state[k] for k in _INDICES if k in state}
    coords = state.get('coords')
    if coords is None and 'row' in parts:
        coords = (parts.pop('row'), parts.pop('col', None))
    indices = [*parts.values(), *(coords or ())]
    data: Any = state.get('data')
    if (
        not _is_shape(shape)
        or not _are_numbers(data, 'fiubc')
        or not all(_are_numbers(value, 'iu') for value in indices)
    ):
        raise ValueError('a sparse matrix without its arrays')
    parts.update(_shape=tuple(map(int, shape)), data=data, maxprint=50)
    if coords is not None:
        parts.update(coords=tuple(coords), has_canonical_format=False)
    vars(matrix).clear()
    vars(matrix).update(parts)
    kind = type(matrix)
    if 'offsets' in parts:
        if data.ndim != 2 or parts['offsets'].shape != data.shape[:1]:
            raise ValueError('diagonals without their places')
    elif coords is not None:
        kind._check(matrix)
    else:
        kind.check_format(matrix, full_check=True)


def fill_chumpy(array: np.ndarray, state: dict) -> None:
    """Give an array the numbers of a chumpy object.

    Args:
        array: stands for the object, empty.
        state: of a leaf, ``x``, or of a selection, ``a`` and ``idxs``.

    Raises:
        ValueError: neither.
    """
    if _are_numbers(state.get('x'), 'fiub'):
        values = state['x']
    elif _are_numbers(state.get('a'), 'fiub') and _are_numbers(
        state.get('idxs'), 'iu'
    ):
        values = state['a'].ravel()[state['idxs']]
        if _is_shape(state.get('preferred_shape')):
            values = values.reshape(state['preferred_shape'])
    else:
        raise ValueError('a chumpy object without its array')
    _fill(array, values.__reduce__()[2])


def _fill(array: np.ndarray, state: Any) -> None:
    # The memory of an array that is in use must not go.
    if array.shape != (0,) or not array.flags.owndata:
        raise ValueError('an array that has its numbers already')
    array.__setstate__(state)


def _with_fields(inner: Any, names: Any, fields: Any, size: Any) -> np.dtype:
    """A type with fields or of a small array; NumPy checks what they are."""
    if inner is not None:
        base, shape = inner
        return np.dtype((_own(base), shape))
    parts = [fields[name] for name in names]
    return np.dtype(
        dict(
            names=list(names),
            formats=[_own(part[0]) for part in parts],
            offsets=[int(part[1]) for part in parts],
            titles=[part[2] if len(part) > 2 else None for part in parts],
            itemsize=int(size),
        )
    )


def _own(dtype: Any) -> np.dtype:
    """A copy that nobody can change later."""
    if not isinstance(dtype, np.dtype):
        raise ValueError(f'a dtype that is a {type(dtype).__name__}')
    if dtype.names is None and dtype.subdtype is None:
        return np.dtype(dtype.str, copy=True)
    return pickle.loads(pickle.dumps(dtype))  # Of NumPy's own making.


def _plain(dtype: Any) -> np.dtype:
    own = _own(dtype)
    if own.hasobject:
        raise ValueError('objects that are bytes')
    return own


def _are_numbers(value: Any, kinds: str) -> bool:
    return type(value) is np.ndarray and value.dtype.kind in kinds


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(n, (int, np.integer)) and n >= 0 for n in value
    )
