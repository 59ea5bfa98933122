"""Whether results can be written, before the seconds of imports."""

import os

from mmd2a.files import UnusableFileError

__all__ = ['check_out_folder']


def check_out_folder(folder: str) -> None:
    """Check that files can be written to a folder, which need not be there.

    Args:
        folder: of the option ``--out``; '' is the current one.

    Raises:
        UnusableFileError: they cannot.

    Example:
        >>> check_out_folder('runs/new/folder')
        >>> check_out_folder('README.md/folder')
        Traceback (most recent call last):
        mmd2a.files.errors.UnusableFileError: nothing can be written here: ...
    """
    there = folder
    while there and not os.path.exists(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there or '.') or not os.access(there or '.', os.W_OK):
        raise UnusableFileError(
            'nothing can be written here',
            folder,
            'make the folder writable, or choose another with --out',
        )
