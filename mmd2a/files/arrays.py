"""Read NumPy's files without running or allocating what they ask for."""

import functools
import io
import math
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy_format

from mmd2a.files.errors import UnusableFileError
from mmd2a.files.reading import MAX_BYTES, open_regular_file, read_bytes

_FIX = 'write it again with numpy.save or savez, without objects'
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Where an archive ends and how large its list of members is; each member of
# the list takes ten times its bytes in memory.
_END, _END_SIZE, _MAX_COMMENT = b'PK\x05\x06', 22, 2**16
_WIDE_END = b'PK\x06\x07'
_MAX_LIST = 2**23


def read_npy(path: str | Path, max_bytes: int = MAX_BYTES) -> np.ndarray:
    """Read an array file; nothing in it is unpickled.

    Args:
        path: file of ``numpy.save``.
        max_bytes: the size allowed.

    Raises:
        UnusableFileError: not a file, too big, cut off, holding objects, or
            of another size than its header says.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), 'a.npy')
        >>> np.save(path, np.arange(3))
        >>> read_npy(path)
        array([0, 1, 2])
    """
    return _parse(read_bytes(path, max_bytes), 'the array', path)


def read_npz(
    path: str | Path,
    keys: Sequence[str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> dict[str, np.ndarray]:
    """Read an archive of arrays; nothing in it is unpickled.

    Args:
        path: file of ``numpy.savez`` or ``savez_compressed``.
        keys: the arrays wanted, all of which must be there; None: all.
        max_bytes: the size allowed, of the file and of what it unfolds to.

    Raises:
        UnusableFileError: not a file, too big, damaged, holding objects or
            something else than arrays, or without one of ``keys``.
    """
    with open_regular_file(path, max_bytes) as file:
        try:
            return _read_archive(file, keys, path, max_bytes)
        except UnusableFileError:
            raise
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
            ValueError,
        ) as error:
            raise UnusableFileError(
                f'the npz archive is damaged ({error})',
                path,
                'copy or make it again',
            ) from error


def npz_names(path: str | Path, max_bytes: int = MAX_BYTES) -> list[str]:
    """Names of the arrays in an archive, without reading them.

    Args:
        path: file of ``numpy.savez`` or ``savez_compressed``.
        max_bytes: the size allowed.

    Raises:
        UnusableFileError: not a file, too big, or no archive.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), 'a.npz')
        >>> np.savez(path, x=np.arange(3), y=np.zeros(2))
        >>> npz_names(path)
        ['x', 'y']
    """
    with open_regular_file(path, max_bytes) as file:
        _check_list(file, path)
        try:
            names = zipfile.ZipFile(file).namelist()
        except (zipfile.BadZipFile, RuntimeError, ValueError) as error:
            raise UnusableFileError(
                f'the npz archive is damaged ({error})',
                path,
                'copy or make it again',
            ) from error
    return [name.removesuffix('.npy') for name in names]


def _check_list(file: BinaryIO, path: str | Path) -> None:
    """Refuse a list of members that would take gigabytes in memory."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _END_SIZE - _MAX_COMMENT))
    tail = file.read()
    file.seek(0)
    # The end is the last 22 bytes, or before a comment.
    for end in {len(tail) - _END_SIZE, tail.rfind(_END)}:
        if end < 0 or tail[end : end + 4] != _END:
            continue
        length = int.from_bytes(tail[end + 12 : end + 16], 'little')
        if tail[max(0, end - 20) : end].startswith(_WIDE_END):
            length = 2**32  # Or more; numpy.savez has no need of it.
        if length > _MAX_LIST:
            raise UnusableFileError(
                f'the npz archive lists its members on {length:,} bytes, '
                f'{_MAX_LIST:,} are allowed',
                path,
                'give the right file',
            )


def _read_archive(
    file: BinaryIO,
    keys: Sequence[str] | None,
    path: str | Path,
    max_bytes: int,
) -> dict[str, np.ndarray]:
    _check_list(file, path)
    with zipfile.ZipFile(file) as archive:
        members = {
            info.filename.removesuffix('.npy'): info
            for info in archive.infolist()
        }
        if len(members) != len(archive.infolist()):
            raise UnusableFileError(
                'the npz archive holds an array twice', path, _FIX
            )
        missing = [key for key in keys or () if key not in members]
        if missing:
            raise UnusableFileError(
                f'the npz archive lacks {", ".join(missing)}; it holds '
                f'{_listing(members)}',
                path,
                'give the right file, or make it again',
            )
        wanted = members if keys is None else {k: members[k] for k in keys}
        size = sum(info.file_size for info in wanted.values())
        if size > max_bytes:
            raise UnusableFileError(
                f'the npz archive unfolds to {size:,} bytes, '
                f'{max_bytes:,} are allowed',
                path,
                'give the right file, or split this one',
            )
        for name, info in wanted.items():
            if (
                not info.filename.endswith('.npy')
                or info.compress_type not in _METHODS
            ):
                raise UnusableFileError(
                    f'the archive holds {name!r}, which no numpy.savez writes',
                    path,
                    _FIX,
                )
        # `read` stops at the size stated and checks the checksum.
        return {
            name: _parse(archive.read(info), f'array {name!r}', path)
            for name, info in wanted.items()
        }


def _parse(data: bytes, what: str, path: str | Path) -> np.ndarray:
    """Make an array of the bytes of an npy file, a copy of its own."""
    start = _header_size(data)
    try:
        shape, fortran, dtype = _read_header(data[:start])
        if dtype.base.names:  # Fields can be renamed, and not for others.
            dtype = _read_header.__wrapped__(data[:start])[2]
    except Exception as error:  # The header is Python text: anything may come.
        raise UnusableFileError(
            f'{what} has no header of NumPy that can be used', path, _FIX
        ) from error
    if dtype.hasobject:
        raise UnusableFileError(
            f'{what} holds pickled objects, which could run code and are '
            'not read',
            path,
            _FIX,
        )
    number, there = math.prod(shape), len(data) - start
    size = number * dtype.itemsize
    if min(shape, default=0) < 0 or size != there or (number and not size):
        raise UnusableFileError(
            f'{what} of shape {shape} and {dtype} needs {size:,} bytes, but '
            f'{there:,} are there',
            path,
            'copy or make it again',
        )
    try:
        array = np.empty(shape, dtype, order='F' if fortran else 'C')
    except ValueError as error:  # A length beyond the machine, times 0.
        raise UnusableFileError(
            f'{what} cannot have shape {shape}', path, _FIX
        ) from error
    if size:
        flat = np.frombuffer(data, dtype, offset=start)
        array[...] = flat.reshape(shape, order='F' if fortran else 'C')
    return array


def _header_size(data: bytes) -> int:
    """Bytes before the numbers of an npy file, as it states them."""
    wide = data[6:7] == b'\x02'
    length = data[8:12] if wide else data[8:10]
    return 8 + len(length) + int.from_bytes(length, 'little')


@functools.lru_cache(64)
def _read_header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether in Fortran order, and type.

    The header is Python text, and taking it apart safely takes longer than
    reading a small map. The maps of a data set have the same few.
    """
    stream = io.BytesIO(header)
    version = npy_format.read_magic(stream)
    read = {
        (1, 0): npy_format.read_array_header_1_0,
        (2, 0): npy_format.read_array_header_2_0,
    }[version]
    return read(stream)


def _listing(members: dict[str, zipfile.ZipInfo]) -> str:
    names = sorted(members)
    more = f' and {len(names) - 8} more' if len(names) > 8 else ''
    return (', '.join(names[:8]) or 'nothing') + more
