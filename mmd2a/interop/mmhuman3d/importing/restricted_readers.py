"""What reads pickles, as modules of MMHuman3D see it: it runs nothing.

MMHuman3D and smplx read body models, priors and annotations with
``pickle.load`` and ``np.load(allow_pickle=True)``, which run what a file says.
The views here have these functions read arrays and plain containers only
(:mod:`mmd2a.files.restricted_pickle`); all else is the library's own.
"""

import functools
import os
import pickle
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.lib import format as npy_format
from numpy.lib.npyio import NpzFile

from mmd2a.files import restricted_pickle
from mmd2a.files.restricted_pickle import RefusedPickleError

# Functions of other libraries that unpickle in a way of their own.
_REFUSED = {
    'cloudpickle': ('load', 'loads'),
    'dill': ('load', 'loads'),
    'joblib': ('load',),
    'pandas': ('read_pickle',),
}
_ZIP = b'PK'

# Modules that use names NumPy dropped: `np.int` and, before 2.0, `np.bool`.
NEED_OLD_NUMPY = {
    'mmhuman3d.data.datasets.pipelines.transforms',
    'mmhuman3d.data.data_converters.expose_spin_smplx',
    'mmhuman3d.data.data_converters.pw3d',
}


class _View(ModuleType):
    """A module with some names of our own."""

    def __init__(self, module: ModuleType, **names: Any) -> None:
        super().__init__(module.__name__, module.__doc__)
        vars(self).update(vars(module), **names)
        self._viewed = module

    def __getattr__(self, name: str) -> Any:
        # What has come to the module since.
        return getattr(vars(self)['_viewed'], name)


@functools.cache
def restricted_view(library: str) -> ModuleType | None:
    """What to give for a library that reads pickles; None for another.

    Args:
        library: name of a top-level module.

    Example:
        >>> restricted_view('pickle').loads(pickle.dumps([1, 2]))
        [1, 2]
        >>> restricted_view('json') is None
        True
    """
    if library == 'pickle':
        return _View(
            pickle,
            load=restricted_pickle.load,
            loads=restricted_pickle.loads,
            Unpickler=restricted_pickle.RestrictedUnpickler,
        )
    if library == 'numpy':
        return _View(np, load=load_arrays)
    if library == 'torch':
        return _View(import_module('torch'), load=load_checkpoint)
    if library in _REFUSED and find_spec(library) is not None:
        module = import_module(library)
        return _View(
            module,
            **{name: _refuse(library, name) for name in _REFUSED[library]},
        )
    return None


@functools.cache
def numpy_with_old_names() -> ModuleType:
    """NumPy so, and the names for Python's own types it had before 1.24.

    Example:
        >>> numpy_with_old_names().int
        <class 'int'>
    """
    return _View(
        np, load=load_arrays, int=int, float=float, bool=bool, object=object
    )


def load_arrays(
    file: Any,
    mmap_mode: Any = None,
    allow_pickle: bool = False,
    fix_imports: bool = True,
    encoding: str = 'ASCII',
    **options: Any,
) -> Any:
    """Read arrays as ``np.load`` does, objects only as far as allowed.

    Args: as of ``np.load``.

    Raises:
        RefusedPickleError: an object asks for what is not allowed.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> np.save(file, np.array([dict(a=1), None]), allow_pickle=True)
        >>> _ = file.seek(0)
        >>> load_arrays(file, allow_pickle=True)
        array([{'a': 1}, None], dtype=object)
    """
    if not allow_pickle:
        return np.load(file, mmap_mode, encoding=encoding, **options)  # type: ignore[arg-type]
    own = isinstance(file, str | os.PathLike)
    stream = open(file, 'rb') if own else file
    keep = False
    try:
        start = stream.read(len(npy_format.MAGIC_PREFIX))
        stream.seek(-len(start), os.SEEK_CUR)
        unpickle = functools.partial(
            restricted_pickle.load, fix_imports=fix_imports, encoding=encoding
        )
        if start.startswith(_ZIP):
            keep = True
            return _Archive(stream, own, unpickle)
        if start != npy_format.MAGIC_PREFIX:
            return unpickle(stream)
        if mmap_mode and own:
            return np.load(file, mmap_mode)
        return _read_array(stream, unpickle)
    finally:
        if own and not keep:
            stream.close()


class _Archive(NpzFile):
    """An npz whose objects are read as far as allowed."""

    def __init__(
        self, stream: BinaryIO, own: bool, unpickle: Callable[..., Any]
    ) -> None:
        super().__init__(stream, own_fid=own)
        self._unpickle = unpickle

    def __getitem__(self, key: str) -> Any:
        archive: Any = self.zip
        name = key if key in archive.namelist() else f'{key}.npy'
        if name not in archive.namelist():
            raise KeyError(f'{key} is not a file in the archive')
        with archive.open(name) as member:
            start = member.read(len(npy_format.MAGIC_PREFIX))
            member.seek(0)
            if start != npy_format.MAGIC_PREFIX:
                return member.read()
            # `name` of a member is that inside the archive.
            return _read_array(
                member, self._unpickle, f'{archive.filename}, {key}'
            )


def _read_array(
    stream: Any, unpickle: Callable[..., Any], path: str | None = None
) -> np.ndarray:
    start = stream.tell()
    version = npy_format.read_magic(stream)
    read_header = (
        npy_format.read_array_header_1_0
        if version == (1, 0)
        else npy_format.read_array_header_2_0
    )
    shape, _, dtype = read_header(stream)
    if not dtype.hasobject:
        stream.seek(start)
        return npy_format.read_array(stream, allow_pickle=False)
    try:
        array = unpickle(stream)
    except RefusedPickleError as error:
        if path is None:
            raise
        raise RefusedPickleError(error.reason, path, error.fix) from error
    if not isinstance(array, np.ndarray):
        raise RefusedPickleError(
            f'an array of objects holds a {type(array).__name__}',
            path or getattr(stream, 'name', None),
            'write it again with numpy.save or savez',
        )
    return array.reshape(shape)


def load_checkpoint(f: Any, map_location: Any = None, **options: Any) -> Any:
    """Read as ``torch.load`` does, restricted as this package reads them.

    Args:
        f: a file or its name.
        map_location: as in ``torch.load``.
        **options: as there; what would lift the restriction is ignored.

    Raises:
        UntrustedCheckpointError: it asks for something that is not allowed.
    """
    import torch

    from mmd2a.engine.checkpoint_loading import read_checkpoint

    if isinstance(f, str | os.PathLike):
        return read_checkpoint(os.fspath(f), map_location)
    options['weights_only'] = True
    options.pop('pickle_module', None)
    return torch.load(f, map_location, **options)


def _refuse(library: str, name: str) -> Callable[..., NoReturn]:
    def refused(*args: Any, **kwargs: Any) -> NoReturn:
        raise RefusedPickleError(
            f'{library}.{name} runs what a file says',
            fix='save what it reads as an npz without objects, where the '
            'file is trusted',
        )

    return refused
