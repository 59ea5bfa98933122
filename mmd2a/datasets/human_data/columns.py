"""Lay the entries of HumanData out as columns."""

import io
import os
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy_format

from mmd2a.datasets.human_data.archive import HumanDataArchive, Member

# Of the store.
_CHUNK = 2**22
_MAX_DEPTH = 3
# Numbers and texts.
_KINDS = 'biufU'


class Column(NamedTuple):
    """What a store says of one of its files.

    Attributes:
        file: its name.
        shape: of the array.
        dtype: of its values, as NumPy writes it.
        checksum: CRC-32 of the file's bytes, 8 hexadecimal digits.
        is_list: whether it was a list, not an array.
    """

    file: str
    shape: tuple[int, ...]
    dtype: str
    checksum: str
    is_list: bool = False


def write_columns(
    archive: HumanDataArchive, folder: Path
) -> tuple[dict[str, Column], dict[str, Any], list[str]]:
    """Write every array of an archive as a file of its own.

    Args:
        archive: the HumanData.
        folder: where to; it exists.

    Returns:
        The columns by name (``smpl/betas`` for what is in a dict); plain
        values by name; names of what is neither, and left out.
    """
    # Most of the time goes to unfolding, which lets other threads run: the
    # longest first.
    members = list(archive.members.values())
    by_size = sorted(members, key=lambda m: -m.info.compress_size)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        written = {
            member.name: pool.submit(
                _write_member,
                archive,
                member,
                folder / f'column_{members.index(member):03d}',
            )
            for member in by_size
        }
    columns: dict[str, Column] = {}
    values: dict[str, Any] = {}
    left_out: list[str] = []
    for member in members:
        parts = written[member.name].result()
        columns |= parts[0]
        values |= parts[1]
        left_out += parts[2]
    return columns, values, left_out


def _write_member(
    archive: HumanDataArchive, member: Member, stem: Path
) -> tuple[dict[str, Column], dict[str, Any], list[str]]:
    # Names in the archive are anybody's: none of them becomes a path.
    if not member.dtype.hasobject and member.shape:
        path = stem.with_suffix('.npy')
        return {member.name: _copy_member(archive, member, path)}, {}, []
    content = (
        archive.read_object(member)
        if member.dtype.hasobject
        else archive.read_values(member, _CHUNK)[()]
    )
    columns: dict[str, Column] = {}
    values: dict[str, Any] = {}
    left_out: list[str] = []
    for key, leaf in _leaves(member.name, content):
        if _is_plain(leaf):
            values[key] = leaf
            continue
        array, is_list = _as_array(leaf)
        if array is None:
            left_out.append(key)
        else:
            path = Path(f'{stem}_{len(columns):02d}.npy')
            columns[key] = _write_array(array, path, is_list)
    return columns, values, left_out


def checksum(path: str | Path) -> str:
    """CRC-32 of a file's bytes, 8 hexadecimal digits.

    Raises:
        OSError: it cannot be read.
    """
    crc = 0
    with open(path, 'rb') as file:
        while chunk := file.read(_CHUNK):
            crc = zlib.crc32(chunk, crc)
    return f'{crc:08x}'


def _copy_member(
    archive: HumanDataArchive, member: Member, path: Path
) -> Column:
    if member.fortran and len(member.shape) > 1:
        # Records would be scattered over the whole file.
        array = archive.read_values(member, member.info.file_size)
        return _write_array(array, path, False)
    _write_file(path, archive.chunks(member))
    # The archive's checksum, which has just been checked, is of this file.
    return Column(
        path.name, member.shape, member.dtype.str, f'{member.info.CRC:08x}'
    )


def _write_array(array: np.ndarray, path: Path, is_list: bool) -> Column:
    array = np.ascontiguousarray(array)
    header = io.BytesIO()
    npy_format.write_array_header_1_0(
        header,
        dict(descr=array.dtype.str, fortran_order=False, shape=array.shape),
    )
    data = array.reshape(-1).view(np.uint8).data
    _write_file(path, (header.getvalue(), data))
    crc = zlib.crc32(data, zlib.crc32(header.getvalue()))
    return Column(
        path.name, array.shape, array.dtype.str, f'{crc:08x}', is_list
    )


def _write_file(path: Path, chunks: Iterable[bytes | memoryview]) -> None:
    """Write a file to the disk."""
    with open(path, 'xb') as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _leaves(
    name: str, content: Any, depth: int = 0
) -> Iterator[tuple[str, Any]]:
    """Entries of nested dicts, by names joined with a slash."""
    if isinstance(content, dict) and depth < _MAX_DEPTH:
        for key, value in content.items():
            yield from _leaves(f'{name}/{key}', value, depth + 1)
    elif isinstance(content, np.ndarray) and not content.ndim:
        yield from _leaves(name, content[()], depth)
    elif content is not None:
        yield name, content


def _is_plain(value: Any) -> bool:
    if isinstance(value, np.generic):
        return value.dtype.kind in _KINDS
    return isinstance(value, str | bool | int | float)


def _as_array(value: Any) -> tuple[np.ndarray | None, bool]:
    """An array of numbers or texts, and whether it was a list."""
    is_list = isinstance(value, list | tuple)
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        value = value.tolist()
    if not isinstance(value, list | tuple | np.ndarray):
        return None, False
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):  # Rows of different lengths.
        return None, False
    fits = array.dtype.kind in _KINDS and array.ndim
    return (array, is_list) if fits else (None, False)
