"""Take an npz of HumanData apart, member by member, running nothing."""

import hashlib
import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy_format

from mmd2a.files import UnusableFileError, open_regular_file, restricted_pickle
from mmd2a.files.restricted_pickle import RefusedPickleError

#: The largest file, and what it may unfold to.
MAX_BYTES = 2**37
# Entries that are Python objects are read whole.
_MAX_OBJECT_BYTES = 2**32
_FIX = 'write it again with HumanData.dump, or copy it again'
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


class Member(NamedTuple):
    """An array of the archive.

    Attributes:
        name: of the array.
        info: of the archive.
        start: bytes before the values.
        shape: of the array.
        fortran: whether its first axis runs fastest.
        dtype: of its values; objects are pickled.
    """

    name: str
    info: zipfile.ZipInfo
    start: int
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype


class HumanDataArchive:
    """The arrays of an open npz.

    Args:
        archive: the npz.
        path: its name, for messages.

    Raises:
        UnusableFileError: it holds something else than arrays, one of them
            twice, or an array that is not as long as its header says.
    """

    def __init__(self, archive: zipfile.ZipFile, path: str | Path) -> None:
        self._archive = archive
        self.path = path
        infos = archive.infolist()
        names = [info.filename.removesuffix('.npy') for info in infos]
        if len(set(names)) != len(names):
            raise UnusableFileError('it holds an array twice', path, _FIX)
        self.num_bytes = sum(info.file_size for info in infos)
        if self.num_bytes > MAX_BYTES:
            raise UnusableFileError(
                f'it unfolds to {self.num_bytes:,} bytes, {MAX_BYTES:,} are '
                'allowed',
                path,
                'split it',
            )
        self.members = {
            name: self._member(name, info) for name, info in zip(names, infos)
        }

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that name what the archive holds.

        Of names, sizes and checksums of its arrays: a copy has the same.
        """
        listing = sorted(
            (info.filename, info.file_size, info.CRC)
            for info in self._archive.infolist()
        )
        return hashlib.blake2b(
            repr(listing).encode(), digest_size=8
        ).hexdigest()

    def read_object(self, member: Member) -> Any:
        """Read an array of objects: arrays and plain containers only.

        Raises:
            RefusedPickleError: it asks for anything else.
            UnusableFileError: it is too big, or damaged.
        """
        if member.info.file_size > _MAX_OBJECT_BYTES:
            raise self._error(
                member, f'has {member.info.file_size:,} bytes of objects'
            )
        with self._archive.open(member.info) as stream:
            stream.read(member.start)
            try:
                value = restricted_pickle.load(stream)  # type: ignore[arg-type]
            except RefusedPickleError as error:
                raise RefusedPickleError(
                    f'{error.reason} (array {member.name!r})',
                    self.path,
                    error.fix,
                ) from error
            if stream.read(1):
                raise self._error(member, 'goes on behind its object')
        if not isinstance(value, np.ndarray) or value.shape != member.shape:
            raise self._error(member, 'is not what its header says')
        return value[()] if not value.ndim else value

    def read_values(self, member: Member, max_bytes: int) -> np.ndarray:
        """Read an array of numbers or texts into memory.

        Raises:
            UnusableFileError: it is bigger than ``max_bytes``, or damaged.
        """
        if member.info.file_size > max_bytes:
            raise self._error(
                member, f'has shape {member.shape}, too large for what it is'
            )
        data = b''.join(self.chunks(member))
        order = 'F' if member.fortran else 'C'
        flat = np.frombuffer(data, member.dtype, offset=member.start)
        return flat.reshape(member.shape, order=order).copy()  # type: ignore[call-overload]

    def chunks(self, member: Member, size: int = 2**22) -> Iterator[bytes]:
        """Read an npy file bit by bit; the end checks its checksum.

        Raises:
            UnusableFileError: bytes are missing.
        """
        there = 0
        with self._archive.open(member.info) as stream:
            while chunk := stream.read(size):
                there += len(chunk)
                yield chunk
        if there != member.info.file_size:
            raise self._error(member, f'ends after {there:,} bytes')

    def _member(self, name: str, info: zipfile.ZipInfo) -> Member:
        if (
            not info.filename.endswith('.npy')
            or info.compress_type not in _METHODS
        ):
            raise UnusableFileError(
                f'it holds {info.filename!r}, which no HumanData has',
                self.path,
                _FIX,
            )
        with self._archive.open(info) as stream:
            try:
                version = npy_format.read_magic(stream)
                shape, fortran, dtype = {
                    (1, 0): npy_format.read_array_header_1_0,
                    (2, 0): npy_format.read_array_header_2_0,
                }[version](stream)
            except Exception as error:  # Python text: anything may come.
                raise UnusableFileError(
                    f'array {name!r} has no header of NumPy', self.path, _FIX
                ) from error
            start = stream.tell()
        member = Member(name, info, start, shape, fortran, dtype)
        if dtype.names:
            raise self._error(member, f'has fields ({dtype})')
        if min(shape, default=0) < 0 or (
            not dtype.hasobject
            and math.prod(shape) * dtype.itemsize != info.file_size - start
        ):
            raise self._error(
                member,
                f'of shape {shape} and {dtype} should have another size than '
                f'{info.file_size - start:,} bytes',
            )
        return member

    def _error(self, member: Member, reason: str) -> UnusableFileError:
        return UnusableFileError(
            f'array {member.name!r} {reason}', self.path, _FIX
        )


@contextmanager
def open_archive(path: str | Path) -> Iterator[HumanDataArchive]:
    """Open an npz of HumanData for reading.

    Raises:
        UnusableFileError: not a file, too big, no npz, or damaged.
    """
    with open_regular_file(path, MAX_BYTES) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                yield HumanDataArchive(archive, path)
        except UnusableFileError:
            raise
        except _DAMAGES as error:
            raise UnusableFileError(
                f'the npz archive is damaged ({error})', path, _FIX
            ) from error
