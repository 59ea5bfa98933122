"""HumanData as columns on the disk, from which any record comes at once."""

import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from mmengine.logging import print_log

from mmd2a.datasets.human_data.archive import open_archive
from mmd2a.datasets.human_data.columns import Column, checksum, write_columns
from mmd2a.files import UnusableFileError, read_json, write_json

__all__ = ['STORE_VERSION', 'HumanDataStore', 'open_human_data']

#: To be raised whenever the same HumanData gives other files.
STORE_VERSION = 1
_LISTING = 'store.json'
_FIX = 'delete the folder; it is made again when it is needed'
# Room for what else the disk is for.
_SPARE_BYTES = 2**28


class HumanDataStore:
    """Columns of HumanData, memory-mapped.

    N: people. Nothing is held in memory but what the system caches, which
    all processes share. An array is as the npz has it: same type, same bytes.

    Args:
        folder: of the store; see :func:`open_human_data`.

    Attributes:
        columns: arrays by name, ``smpl/betas`` for what is in a dict. Those
            of N rows are of the people, the others of all.
        values: plain values by name, such as ``keypoints2d_convention``.
        left_out: names of what is neither an array nor a plain value.
        digest: names the content.

    Raises:
        UnusableFileError: the folder is no store, of another version, or one
            of its files is missing or of another size.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        listing = read_json(self.folder / _LISTING, dict)
        if listing.get('version') != STORE_VERSION:
            raise UnusableFileError(
                f'the store is of version {listing.get("version")}, not '
                f'{STORE_VERSION}',
                self.folder,
                _FIX,
            )
        try:
            self.listing = {
                name: Column(**fields)
                for name, fields in listing['columns'].items()
            }
            self.values: dict[str, Any] = listing['values']
            self.left_out: list[str] = listing['left_out']
            self.digest: str = listing['digest']
            self.num_people: int = listing['num_people']
        except (KeyError, TypeError, AttributeError) as error:
            raise UnusableFileError(
                f'the list of columns is damaged ({error})', self.folder, _FIX
            ) from error
        self.columns = {
            name: self._map(column) for name, column in self.listing.items()
        }

    def __len__(self) -> int:
        return self.num_people

    def __reduce__(self) -> tuple:
        # Another process maps the files again.
        return type(self), (self.folder,)

    def __getitem__(self, row: int) -> dict[str, Any]:
        """Give what is known of one person, copied.

        Raises:
            IndexError: there are fewer people.
        """
        if not 0 <= row < self.num_people:
            raise IndexError(f'person {row} of {self.num_people}')
        return {
            name: column[row].copy() if column.ndim > 1 else column[row]
            for name, column in self.columns.items()
            if len(column) == self.num_people and not name.endswith('_mask')
        }

    def verify(self) -> None:
        """Read all files and compare their checksums.

        Raises:
            UnusableFileError: a file is not as it was written.
        """
        for name, column in self.listing.items():
            path = self.folder / column.file
            if checksum(path) != column.checksum:
                raise UnusableFileError(
                    f'column {name!r} is not what was written', path, _FIX
                )

    def _map(self, column: Column) -> np.ndarray:
        path = self.folder / column.file
        try:
            array = np.load(path, mmap_mode='r', allow_pickle=False)
        except ValueError:  # A file without a byte of values.
            array = self._load_empty(path)
        except (OSError, EOFError) as error:
            raise UnusableFileError(
                f'a column cannot be read ({error})', path, _FIX
            ) from error
        if array.shape != tuple(column.shape) or (
            array.dtype.str != column.dtype
        ):
            raise UnusableFileError(
                f'a column is {array.dtype} of shape {array.shape}, not '
                f'{column.dtype} of {tuple(column.shape)}',
                path,
                _FIX,
            )
        # Slices of a plain array cost a tenth of those of np.memmap.
        return array.view(np.ndarray)

    @staticmethod
    def _load_empty(path: Path) -> np.ndarray:
        try:
            return np.load(path, allow_pickle=False)
        except (OSError, EOFError, ValueError) as error:
            raise UnusableFileError(
                f'a column cannot be read ({error})', path, _FIX
            ) from error


def open_human_data(
    path: str | Path, store_root: str | Path | None = None
) -> HumanDataStore:
    """Open an npz of HumanData, made into a store at the first time.

    A store is found by what the npz holds, not by its name or date. It is
    built under another name and then renamed, so that it is whole or not
    there; any number of processes may ask at once, one builds. A damaged one
    is built again.

    Args:
        path: file of MMHuman3D's ``HumanData.dump``.
        store_root: folder of all stores; None: ``mmd2a/human_data`` in the
            user's cache (``$XDG_CACHE_HOME``, or ``~/.cache``).

    Raises:
        UnusableFileError: the npz cannot be used, or the disk is full.

    Example:
        >>> folder = tempfile.mkdtemp()
        >>> np.savez(f'{folder}/people.npz', image_path=['a.jpg', 'b.jpg'],
        ...          bbox_xywh=[[10., 20, 30, 60, 1], [5, 5, 20, 40, 1]])
        >>> store = open_human_data(f'{folder}/people.npz', folder)
        >>> len(store), str(store[1]['image_path'])
        (2, 'b.jpg')
    """
    root = Path(store_root) if store_root else _user_cache()
    with open_archive(path) as archive:
        digest, num_bytes = archive.digest, archive.num_bytes
    folder = root / digest
    found = _open_if_whole(folder)
    if found is not None:
        return found
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f'{digest}.lock'):
            found = _open_if_whole(folder)  # Somebody else was quicker.
            if found is None:
                _require_space(root, num_bytes, path)
                _build(path, folder)
                found = HumanDataStore(folder)
    except OSError as error:
        if isinstance(error, UnusableFileError):
            raise
        raise UnusableFileError(
            f'the store cannot be written ({error.strerror or error})',
            root,
            'make room, or give another folder as store_root',
        ) from error
    return found


def _open_if_whole(folder: Path) -> HumanDataStore | None:
    if not folder.is_dir():
        return None
    try:
        return HumanDataStore(folder)
    except UnusableFileError as error:
        print_log(
            f'The store is made again: {error}',
            logger='current',
            level=logging.WARNING,
        )
        return None


def _build(path: str | Path, folder: Path) -> None:
    """Make the store; whoever calls holds the lock of its digest."""
    prefix = f'.{folder.name}.'
    for rest in folder.parent.glob(f'{prefix}*'):  # Of a builder that died.
        shutil.rmtree(rest, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    try:
        with open_archive(path) as archive:
            columns, values, left_out = write_columns(archive, temporary)
            digest = archive.digest
        number = _count_people(columns, values, path)
        write_json(
            temporary / _LISTING,
            dict(
                version=STORE_VERSION,
                digest=digest,
                num_people=number,
                columns={k: v._asdict() for k, v in columns.items()},
                values=values,
                left_out=left_out,
            ),
            indent=1,
        )
        if folder.exists():
            shutil.rmtree(folder)
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _count_people(
    columns: dict[str, Column], values: dict[str, Any], path: str | Path
) -> int:
    lengths: dict[str, int] = {
        name: columns[name].shape[0]
        for name in ('image_path', 'bbox_xywh', 'keypoints2d', 'keypoints3d')
        if name in columns
    }
    lengths |= {
        name: column.shape[0]
        for name, column in columns.items()
        if name.partition('/')[0] in ('smpl', 'smplh', 'smplx')
        and column.shape
        and name.endswith(('betas', 'body_pose', 'global_orient', 'transl'))
    }
    if 'image_path' not in lengths:
        raise UnusableFileError(
            f'it has no image_path, only {", ".join([*columns][:8])}',
            path,
            'give annotations that HumanData.dump wrote',
        )
    number = lengths['image_path']
    other = {name: n for name, n in lengths.items() if n != number}
    stated = values.get('__data_len__', number)
    if other or not number or stated not in (number, -1):
        raise UnusableFileError(
            f'it names {number} pictures, but there are '
            + (
                ', '.join(f'{n} rows of {name}' for name, n in other.items())
                or f'{stated} people'
            ),
            path,
            'write it again with as many rows of everything',
        )
    return number


def _require_space(root: Path, num_bytes: int, path: str | Path) -> None:
    free = shutil.disk_usage(root).free
    if num_bytes + _SPARE_BYTES > free:
        raise UnusableFileError(
            f'its columns take {num_bytes / 1e9:.1f} GB, and {root} has '
            f'{free / 1e9:.1f} GB left',
            path,
            'make room, or give another folder as store_root',
        )


def _user_cache() -> Path:
    root = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    return Path(root).expanduser() / 'mmd2a' / 'human_data'
