"""Unpickle arrays and plain containers, and nothing that could run code.

A pickle names functions and has them called. Here the names are looked up in
a short list: NumPy's arrays, scalars and types, scipy.sparse's matrices,
Python's plain containers. What asks for another is refused by name.
"""

import _compat_pickle
import io
import pickle
import re
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from importlib import import_module
from typing import Any, BinaryIO

import numpy as np

from mmd2a.files.errors import UnusableFileError

_ALLOWED = (
    'NumPy arrays, scipy.sparse matrices, numbers, strings and plain '
    'containers are'
)
_FIX = 'save those as an npz without objects, where the file is trusted'
_FIX_CHUMPY = (
    "save it again without chumpy, as smplx's tools/clean_ch.py does, where "
    'the file is trusted'
)
_PLAIN = (bool, complex, dict, float, frozenset, int, list, object, set, str)
_SPARSE = re.compile(r'(bsr|c[os][cor]|dia)_(array|matrix)')


class RefusedPickleError(UnusableFileError, pickle.UnpicklingError):
    """A pickle asks for what is not allowed, or is damaged."""


def load(
    file: BinaryIO,
    *,
    fix_imports: bool = True,
    encoding: str = 'ASCII',
    errors: str = 'strict',
    buffers: Any = None,
) -> Any:
    """Read a pickle as ``pickle.load`` does, as far as it is allowed.

    Args:
        file: opened to be read, binary; its ``name`` is told in errors.
        fix_imports, encoding, errors, buffers: as in ``pickle.load``.

    Raises:
        RefusedPickleError: it names something that is not allowed, or is
            damaged.
        EOFError: there is nothing to read.

    Example:
        >>> import os
        >>> load(io.BytesIO(pickle.dumps(dict(a=[1, 2.0]))))
        {'a': [1, 2.0]}
        >>> load(io.BytesIO(pickle.dumps(os.system)))
        Traceback (most recent call last):
        ...
        mmd2a.files.restricted_pickle.RefusedPickleError: the pickle asks \
for posix.system, ...
    """
    return RestrictedUnpickler(
        file,
        fix_imports=fix_imports,
        encoding=encoding,
        errors=errors,
        buffers=buffers,
    ).load()


def loads(data: Any, **options: Any) -> Any:
    """Do so with bytes; see :func:`load`.

    Example:
        >>> loads(pickle.dumps(np.arange(3)))
        array([0, 1, 2])
    """
    return load(io.BytesIO(data), **options)


# Python's own unpickler in Python: the one in C lets nobody look at what a
# pickle sets the attributes of.
_Unpickler: Any = pickle._Unpickler


class RestrictedUnpickler(_Unpickler):
    """``pickle.Unpickler`` with a list of what may be asked for.

    Args:
        file: see :func:`load`.
        **options: see there.
    """

    dispatch = dict(_Unpickler.dispatch)

    def __init__(self, file: BinaryIO, **options: Any) -> None:
        super().__init__(file, **options)
        name = getattr(file, 'name', None)
        self.path = name if isinstance(name, str) else None

    def load(self) -> Any:
        """Read one object; see :func:`load`."""
        try:
            return super().load()
        except (RefusedPickleError, EOFError):
            raise
        except Exception as error:
            raise RefusedPickleError(
                f'the pickle is damaged, or none ({type(error).__name__}: '
                f'{error})',
                self.path,
                'get the file again',
            ) from error

    def find_class(self, module: str, name: str) -> Any:
        """What a name stands for.

        Raises:
            RefusedPickleError: it is not on the list.
        """
        if self.proto < 3 and self.fix_imports:  # written by Python 2
            module, name = _compat_pickle.NAME_MAPPING.get(
                (module, name),
                (_compat_pickle.IMPORT_MAPPING.get(module, module), name),
            )
        found = _find(module, name)
        if found is None:
            raise RefusedPickleError(
                f'the pickle asks for {module}.{name}, which is not allowed '
                f'({_ALLOWED})',
                self.path,
                _FIX_CHUMPY if module.startswith('chumpy') else _FIX,
            )
        return found

    def load_build(self) -> None:
        """Set the state of an object, never of a class or function."""
        target = self.stack[-2]
        if isinstance(target, type) or callable(target):
            raise RefusedPickleError(
                f'the pickle changes {target!r}', self.path, _FIX
            )
        super().load_build()
        _check_sparse(target)

    dispatch[pickle.BUILD[0]] = load_build


def _find(module: str, name: str) -> Any:
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


def _check_sparse(matrix: Any) -> None:
    """Check indices, which compiled code follows without looking."""
    if not type(matrix).__module__.startswith('scipy.sparse'):
        return
    if hasattr(matrix, 'check_format'):
        matrix.check_format(full_check=True)
    elif hasattr(matrix, '_check'):
        matrix._check()


def _bytes(data: Any = b'', encoding: str = 'latin1') -> bytes:
    # Of a number it would be that many zeros.
    return data.encode(encoding) if isinstance(data, str) else b'' + data


def _bytearray(data: Any = b'', encoding: str = 'latin1') -> bytearray:
    return bytearray(_bytes(data, encoding))


def _encode(text: str, encoding: str = 'latin1') -> bytes:
    if encoding not in ('latin1', 'latin-1', 'ascii', 'utf-8', 'utf8'):
        raise ValueError(f'bytes by the codec {encoding!r}')
    return text.encode(encoding)


def _reconstruct_array(subtype: type, shape: Any, dtype: Any) -> np.ndarray:
    # The real size comes with the data.
    if subtype is not np.ndarray or tuple(shape) != (0,):
        raise ValueError(f'an array of {subtype!r} {shape!r}')
    return np.ndarray.__new__(np.ndarray, shape, dtype)


def _array_of_buffer(
    buffer: Any, dtype: Any, shape: Any, order: Any, *_: Any
) -> np.ndarray:
    return np.frombuffer(buffer, dtype).reshape(shape, order=order)


def _reconstruct_object(kind: type, base: type, state: Any) -> Any:
    if base is not object or not isinstance(kind, type):
        raise ValueError(f'an object of {kind!r} made as {base!r}')
    return object.__new__(kind)


_scalar: Callable = np.float64(0).__reduce__()[0]  # type: ignore[assignment]
_BUILTINS: dict[str, Any] = {
    **{kind.__name__: kind for kind in _PLAIN},
    'bytearray': _bytearray,
    'bytes': _bytes,
}
_NUMPY: dict[tuple[str, str], Any] = {
    ('numpy', 'ndarray'): np.ndarray,
    ('numpy', 'dtype'): np.dtype,
    ('numpy.core.multiarray', '_reconstruct'): _reconstruct_array,
    ('numpy.core.multiarray', 'scalar'): _scalar,
    ('numpy.core.numeric', '_frombuffer'): _array_of_buffer,
}
_OTHERS: dict[tuple[str, str], Any] = {
    ('_codecs', 'encode'): _encode,
    ('collections', 'OrderedDict'): OrderedDict,
    ('collections', 'defaultdict'): defaultdict,
    ('collections', 'deque'): deque,
    ('copyreg', '_reconstructor'): _reconstruct_object,
}
