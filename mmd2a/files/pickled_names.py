"""What a pickle may name, and what is called when it calls one of them."""

import re
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import numpy as np

from mmd2a.files import pickled_arrays
from mmd2a.files.pickled_arrays import ChumpyLeaf, ChumpySelection

_PLAIN = (bool, complex, dict, float, frozenset, int, list, object, set, str)
_SPARSE = re.compile(r'(bsr|c[os][cor]|dia)_(array|matrix)')
_KEYS = (str, bytes, int, float, complex, type(None), np.generic)
_ARRAYS = (np.ndarray, ChumpyLeaf, ChumpySelection)


def find(module: str, name: str) -> Any:
    """What a name stands for; None: it is not allowed.

    Example:
        >>> find('builtins', 'list'), find('os', 'system')
        (<class 'list'>, None)
    """
    if module == 'builtins':
        return _BUILTINS.get(name)
    top = module.partition('.')[0]
    if top == 'numpy':
        return _NUMPY.get((module.replace('numpy._core', 'numpy.core'), name))
    if module == 'scipy.sparse' or module.startswith('scipy.sparse.'):
        if _SPARSE.fullmatch(name) is None:
            return None
        return getattr(import_module('scipy.sparse'), name, None)
    return _OTHERS.get((module, name))


def is_sparse(kind: Any) -> bool:
    """Whether a class is one of scipy's matrices.

    Example:
        >>> is_sparse(dict)
        False
    """
    return (
        isinstance(kind, type)
        and kind.__module__.startswith('scipy.sparse')
        and _SPARSE.fullmatch(kind.__name__) is not None
    )


def check_keys(keys: Iterable[Any]) -> None:
    """Take keys that are quick to compare: numbers, text, tuples of them.

    Tuples of tuples, each twice in the next, would take forever.

    Raises:
        ValueError: another one.

    Example:
        >>> check_keys(['a', (1, 2)])
    """
    for key in keys:
        parts = key if type(key) in (tuple, frozenset) else (key,)
        if not all(isinstance(part, _KEYS) for part in parts):
            raise ValueError(f'a key that is a {type(key).__name__}')


def _bytes(data: Any = b'', encoding: str = 'latin1') -> bytes:
    # Of a number it would be that many zeros.
    return _encode(data, encoding) if isinstance(data, str) else b'' + data


def _bytearray(data: Any = b'', encoding: str = 'latin1') -> bytearray:
    return bytearray(_bytes(data, encoding))


def _encode(text: str, encoding: str = 'latin1') -> bytes:
    if encoding not in ('latin1', 'latin-1', 'ascii', 'utf-8', 'utf8'):
        raise ValueError(f'bytes by the codec {encoding!r}')
    return text.encode(encoding)


def _text(text: Any = '') -> str:
    if not isinstance(text, str):  # Of a list it could be endless.
        raise ValueError(f'text of a {type(text).__name__}')
    return text


def _dict_of(kind: type) -> Callable[..., Any]:
    def make(pairs: Any = ()) -> Any:
        pairs = list(pairs.items() if isinstance(pairs, dict) else pairs)
        check_keys(key for key, _ in pairs)
        return kind(pairs)

    return make


def _set_of(kind: type) -> Callable[..., Any]:
    def make(items: Any = ()) -> Any:
        check_keys(items)
        return kind(items)

    return make


def _default_dict(factory: Any = None) -> defaultdict:
    if factory is not None and factory not in _PLAIN:
        raise ValueError('a defaultdict of what is no plain container')
    return defaultdict(factory)


def make_object(kind: Any, base: type = object, state: Any = None) -> Any:
    """Make an object without a state, which comes later.

    Raises:
        ValueError: of a class that is not allowed.

    Example:
        >>> make_object(np.ndarray).shape
        (0,)
    """
    if base is not object or state is not None:
        raise ValueError(f'an object of {kind!r} made as {base!r}')
    if kind in _ARRAYS:
        return np.empty(0)
    if kind is not object and not is_sparse(kind):
        raise ValueError(f'an object of {kind!r}')
    return object.__new__(kind)


_BUILTINS: dict[str, Any] = {
    **{kind.__name__: kind for kind in _PLAIN},
    'bytearray': bytearray,
    'bytes': bytes,
}
_NUMPY: dict[tuple[str, str], Any] = {
    ('numpy', 'ndarray'): np.ndarray,
    ('numpy', 'dtype'): np.dtype,
    ('numpy.core.multiarray', '_reconstruct'): pickled_arrays.make_array,
    ('numpy.core.multiarray', 'scalar'): pickled_arrays.scalar_of_bytes,
    ('numpy.core.numeric', '_frombuffer'): pickled_arrays.array_of_buffer,
}
_OTHERS: dict[tuple[str, str], Any] = {
    ('_codecs', 'encode'): _encode,
    ('chumpy', 'Ch'): ChumpyLeaf,
    ('chumpy.ch', 'Ch'): ChumpyLeaf,
    ('chumpy.reordering', 'Select'): ChumpySelection,
    ('collections', 'OrderedDict'): OrderedDict,
    ('collections', 'defaultdict'): defaultdict,
    ('collections', 'deque'): deque,
    ('copyreg', '_reconstructor'): make_object,
}
#: What may be called, and what is called instead.
MAKERS: dict[Any, Callable[..., Any]] = {
    **{kind: kind for kind in (bool, complex, float, int, list, object)},
    bytearray: _bytearray,
    bytes: _bytes,
    defaultdict: _default_dict,
    deque: deque,
    dict: _dict_of(dict),
    frozenset: _set_of(frozenset),
    set: _set_of(set),
    str: _text,
    ChumpyLeaf: lambda: np.empty(0),
    ChumpySelection: lambda: np.empty(0),
    OrderedDict: _dict_of(OrderedDict),
    np.dtype: pickled_arrays.make_dtype,
    **{
        function: function
        for function in (
            pickled_arrays.array_of_buffer,
            pickled_arrays.make_array,
            pickled_arrays.scalar_of_bytes,
            _encode,
            make_object,
        )
    },
}
