"""Unpickle arrays and plain containers, and nothing that could run code.

A pickle names functions and has them called. Here the names are looked up in
a short list: NumPy's arrays, scalars and types, scipy.sparse's matrices,
Python's plain containers; and chumpy's arrays and selections of them, which
are read as arrays of NumPy. What asks for another is refused by name. Nor can
a pickle ask for more memory than its own size accounts for.
"""

import _compat_pickle
import io
import pickle
import struct
import sys
from collections import OrderedDict, defaultdict, deque
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np

from mmd2a.files import pickled_arrays
from mmd2a.files.errors import UnusableFileError
from mmd2a.files.pickled_names import (
    MAKERS,
    check_keys,
    find,
    is_sparse,
    make_object,
)
from mmd2a.files.reading import MAX_BYTES, open_regular_file

#: A pickle of more steps than this is refused.
MAX_STEPS = 2**25

_ALLOWED = (
    'NumPy arrays, scipy.sparse matrices, numbers, strings and plain '
    'containers are'
)
_FIX = 'save those as an npz without objects, where the file is trusted'
_FIX_CHUMPY = (
    "save it again without chumpy, as smplx's tools/clean_ch.py does, where "
    'the file is trusted'
)


class RefusedPickleError(UnusableFileError, pickle.UnpicklingError):
    """A pickle asks for what is not allowed, or is damaged."""


def read_pickle(
    path: str | Path,
    max_bytes: int = MAX_BYTES,
    max_steps: int = MAX_STEPS,
    encoding: str = 'latin1',
) -> Any:
    """Read a file with one pickle, as far as it is allowed.

    Args:
        path: the file.
        max_bytes, max_steps: the size and number of steps allowed.
        encoding: of the strings of Python 2; its arrays need ``'latin1'``.

    Raises:
        UnusableFileError: not a file or too big.
        RefusedPickleError: see :func:`load`; also if it is empty or cut off.
    """
    with open_regular_file(path, max_bytes) as file:
        unpickler = RestrictedUnpickler(file, encoding=encoding)
        unpickler.path, unpickler.max_steps = str(path), max_steps
        try:
            return unpickler.load()
        except EOFError as error:
            raise RefusedPickleError(
                'the pickle is empty or cut off', path, 'get the file again'
            ) from error


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
# pickle calls and changes.
_Unpickler: Any = pickle._Unpickler


class RestrictedUnpickler(_Unpickler):
    """``pickle.Unpickler`` with a list of what may be asked for.

    Args:
        file: see :func:`load`.
        **options: see there.
    """

    dispatch = dict(_Unpickler.dispatch)
    max_steps = MAX_STEPS

    def __init__(self, file: BinaryIO, **options: Any) -> None:
        super().__init__(_Bounded(file), **options)
        name = getattr(file, 'name', None)
        self.path = name if isinstance(name, str) else None

    def load(self) -> Any:
        """Read one object; see :func:`load`."""
        self.dispatch = _Counted(type(self).dispatch, self.max_steps)
        try:
            return super().load()
        except (RefusedPickleError, EOFError):
            raise
        except Exception as error:
            reason = ' '.join(str(error).split())[:200] or 'it ends early'
            raise RefusedPickleError(
                f'the pickle is damaged, or none ({reason})',
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
        found = find(module, name)
        if found is None:
            full = f'{module}.{name}'
            if not full.isprintable() or len(full) > 200:
                full = ascii(full[:200])
            self._refuse(
                f'asks for {full}, which is not allowed ({_ALLOWED})',
                _FIX_CHUMPY if module.startswith('chumpy') else _FIX,
            )
        return found

    def persistent_load(self, pid: Any) -> Any:
        """Refuse what lies outside the pickle, as in torch's files."""
        self._refuse('asks for an object that lies outside it')

    def get_extension(self, code: int) -> None:
        """Refuse names by number, which are somebody else's list."""
        self._refuse(f'asks for the extension {code}')

    def load_reduce(self) -> None:
        """Call what is on the list of what may be called."""
        args = self.stack.pop()
        self.stack[-1] = self._call(self.stack[-1], args)

    def load_newobj(self) -> None:
        """Make an object as ``cls.__new__`` does."""
        self.load_reduce()

    def load_newobj_ex(self) -> None:
        """Make an object so, without keywords."""
        if self.stack.pop():
            self._refuse('calls with keywords')
        self.load_reduce()

    def _instantiate(self, klass: Any, args: Any) -> None:
        self.append(self._call(klass, tuple(args)))

    def _call(self, function: Any, args: Any) -> Any:
        known = isinstance(function, type) or callable(function)
        maker = MAKERS.get(function) if known else None
        if maker is None and is_sparse(function):
            return make_object(function, object, args or None)
        if maker is None or not isinstance(args, tuple):
            name = getattr(function, '__name__', type(function).__name__)
            self._refuse(f'calls {name}')
        return maker(*args)

    def load_build(self) -> None:
        """Set the state of an array, a type or a matrix; of nothing else."""
        state = self.stack.pop()
        target = self.stack[-1]
        if type(target) is np.ndarray and isinstance(state, dict):
            pickled_arrays.fill_chumpy(target, state)
        elif type(target) is np.ndarray:
            pickled_arrays.fill_array(target, state)
        elif isinstance(target, np.dtype):
            pickled_arrays.fill_dtype(target, state)
        elif is_sparse(type(target)):
            pickled_arrays.fill_sparse(target, state)
        else:
            name = getattr(target, '__name__', type(target).__name__)
            self._refuse(f'changes {name}')

    def load_append(self) -> None:
        """Append to a list."""
        value = self.stack.pop()
        self._require(self.stack[-1], list, deque).append(value)

    def load_appends(self) -> None:
        """Append several."""
        values = self.pop_mark()
        self._require(self.stack[-1], list, deque).extend(values)

    def load_setitem(self) -> None:
        """Enter in a dict."""
        value, key = self.stack.pop(), self.stack.pop()
        check_keys([key])
        target = self._require(self.stack[-1], dict, OrderedDict, defaultdict)
        target[key] = value

    def load_setitems(self) -> None:
        """Enter several."""
        items = self.pop_mark()
        check_keys(items[::2])
        target = self._require(self.stack[-1], dict, OrderedDict, defaultdict)
        target.update(zip(items[::2], items[1::2]))

    def load_dict(self) -> None:
        """Make a dict of what is there."""
        items = self.pop_mark()
        check_keys(items[::2])
        self.append(dict(zip(items[::2], items[1::2])))

    def load_additems(self) -> None:
        """Add to a set."""
        items = self.pop_mark()
        check_keys(items)
        self._require(self.stack[-1], set).update(items)

    def load_frozenset(self) -> None:
        """Make a frozen set of what is there."""
        items = self.pop_mark()
        check_keys(items)
        self.append(frozenset(items))

    def load_bytearray8(self) -> None:
        """Take bytes, as many as there are."""
        (size,) = struct.unpack('<Q', self.read(8))
        self.append(bytearray(self.read(size)))

    def _require(self, target: Any, *kinds: type) -> Any:
        if type(target) not in kinds:
            name = getattr(target, '__name__', type(target).__name__)
            self._refuse(f'changes {name}')
        return target

    def _refuse(self, what: str, fix: str = _FIX) -> NoReturn:
        raise RefusedPickleError(f'the pickle {what}', self.path, fix)

    for _code, _own in (
        (pickle.REDUCE, load_reduce),
        (pickle.NEWOBJ, load_newobj),
        (pickle.NEWOBJ_EX, load_newobj_ex),
        (pickle.BUILD, load_build),
        (pickle.APPEND, load_append),
        (pickle.APPENDS, load_appends),
        (pickle.SETITEM, load_setitem),
        (pickle.SETITEMS, load_setitems),
        (pickle.DICT, load_dict),
        (pickle.ADDITEMS, load_additems),
        (pickle.FROZENSET, load_frozenset),
        (pickle.BYTEARRAY8, load_bytearray8),
    ):
        dispatch[_code[0]] = _own


class _Counted(dict):
    """The steps of a pickle, which end at some number."""

    def __init__(self, steps: dict, left: int) -> None:
        super().__init__(steps)
        self.left = left

    def __getitem__(self, code: int) -> Any:
        self.left -= 1
        if self.left < 0:
            raise ValueError('it takes more steps than are allowed')
        if code not in self:
            raise ValueError(f'an unknown step, {code}')
        return super().__getitem__(code)


class _Bounded:
    """A file that is not asked for more than it holds."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._end = sys.maxsize
        try:
            here = file.tell()
            self._end = file.seek(0, io.SEEK_END)
            file.seek(here)
        except (AttributeError, OSError):  # A pipe has no end yet.
            pass
        self.readline = file.readline
        self.readinto = getattr(file, 'readinto', None)

    def read(self, size: int) -> bytes:
        if size > 2**16 and self._end != sys.maxsize:
            size = min(size, self._end - self._file.tell())
        return self._file.read(size)
