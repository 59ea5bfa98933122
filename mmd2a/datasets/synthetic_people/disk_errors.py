"""What a disk says that cannot take the people, for whoever has to mend it."""

import errno
import shutil
from pathlib import Path

from mmd2a.files import UnusableFileError

__all__ = ['bytes_per_person', 'explain_os_error']

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_NO_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP)


def explain_os_error(
    error: OSError, data_root: str, image_size: int, num_missing: int
) -> OSError:
    """Say what a user can do about a disk that cannot hold the people.

    Args:
        error: what the operating system said.
        data_root: folder that was being written to.
        image_size: width and height of the people, pixels.
        num_missing: people that still had to be written.
    """
    root = Path(data_root).absolute()
    if error.errno in _NO_SPACE:
        existing = root
        while not existing.exists():
            existing = existing.parent
        free = shutil.disk_usage(existing).free / 1e9
        need = num_missing * bytes_per_person(image_size) / 1e9
        return OSError(
            error.errno,
            f'the disk of {root} is full: {num_missing} '
            f'synthetic people of {image_size} px need about '
            f'{need:.2f} GB more, {free:.2f} GB are free. Make room, choose '
            f'a folder on another disk by data_root, or ask for fewer or '
            f'smaller people (num_people, image_size). Finished shards are '
            f'kept; nothing half-written is left.',
        )
    if error.errno in _NO_LOCKS:
        return OSError(
            error.errno,
            f'the file system of data_root has no locks; set '
            f'data_root to a local disk (data_root is {root}: '
            f'{error.strerror})',
        )
    if isinstance(error, UnusableFileError):
        return error  # It says itself what to do.
    if error.errno == errno.ENOENT:
        return FileNotFoundError(
            error.errno,
            f'the synthetic people in {root} were deleted while they were '
            'being made. Leave the folder alone and start again: what is '
            'missing is made',
        )
    if error.errno in _NO_PERMISSION or isinstance(
        error, (FileExistsError, NotADirectoryError)
    ):
        return type(error)(
            error.errno,
            f'cannot write synthetic people to {root} '
            f'({error.strerror}). Set data_root to a folder that you may '
            f'write to',
        )
    return error


def bytes_per_person(image_size: int) -> float:
    """Expected size on disk of one person, with a margin."""
    return 10_000 + 4 * image_size**2
