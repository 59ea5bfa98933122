"""Files that are either complete or not there."""

import os
import os.path as osp
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

ATOMIC_BACKEND = 'mmd2a_atomic'
_SUFFIX = '.incomplete'


def write_atomically(data: bytes, path: str | Path) -> None:
    """Write a file so that a reader never sees part of it.

    The bytes go to a hidden file in the same folder, are forced to the disk,
    and only then take the name of the target, in one step of the file system.
    Killed at any moment, this leaves the old file or the new one.

    Args:
        data: the whole content.
        path: target file; its folder is made if needed.

    Raises:
        OSError: naming the target and the reason (disk full, no permission);
            an older file of that name is untouched and nothing is left over.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_atomically(b'42', f'{folder}/answer')
        ...     os.listdir(folder)
        ['answer']
    """
    folder, name = osp.split(osp.abspath(path))
    incomplete = osp.join(folder, f'.{name}{_SUFFIX}')
    try:
        os.makedirs(folder, exist_ok=True)
        with open(incomplete, 'wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(incomplete, path)
    except OSError as error:
        _remove_if_there(incomplete)
        raise OSError(
            error.errno,
            f'cannot write {path} ({len(data) / 1e6:.1f} MB): '
            f'{error.strerror}. What was there before is untouched. Free '
            'some space or make the folder writable, or choose another with '
            '--work-dir, then continue with --resume auto',
        ) from error
    except BaseException:
        _remove_if_there(incomplete)
        raise
    _sync_folder(folder)


def remove_incomplete_files(folder: str | Path) -> list[str]:
    """Delete what interrupted writes left in a folder; return the names."""
    if not osp.isdir(folder):
        return []
    names = [
        name
        for name in os.listdir(folder)
        if name.startswith('.') and name.endswith(_SUFFIX)
    ]
    for name in names:
        _remove_if_there(osp.join(folder, name))
    return names


def _remove_if_there(path: str) -> None:
    try:
        os.remove(path)
    except OSError:
        pass


def _sync_folder(folder: str) -> None:
    """Force the new name itself to the disk, where the system knows how."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


@register_backend(ATOMIC_BACKEND)
class AtomicLocalBackend(LocalBackend):
    """MMEngine's local backend with :func:`write_atomically` underneath.

    Named in ``backend_args``, it makes whatever MMEngine writes through its
    file backends atomic.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        write_atomically(obj, filepath)

    def put_text(
        self, obj: str, filepath: str | Path, encoding: str = 'utf-8'
    ) -> None:
        write_atomically(obj.encode(encoding), filepath)
