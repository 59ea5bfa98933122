"""What can be told of a checkpoint file before torch reads it.

torch does not look at the checksums of its archives, so a flipped bit becomes
another weight; it takes sizes on trust, and its own messages for damaged
files name neither the file nor what to do.
"""

import os
import zipfile
import zlib
from pathlib import Path

from mmd2a.files import open_regular_file

__all__ = ['CheckpointError', 'check_checkpoint_file']

#: How many times its size on the disk an archive may unfold to. torch does
#: not compress; archives that were compressed afterwards stay far below.
MAX_UNFOLDING = 20
#: More than any checkpoint has.
MAX_BYTES = 2**40
_ZIP_MAGIC = b'PK\x03\x04'
_ADVICE = 'Use an earlier checkpoint, or fetch this one again'


class CheckpointError(RuntimeError):
    """A file that does not do as the checkpoint it is asked to be."""


def check_checkpoint_file(path: str | Path) -> None:
    """Refuse a local file that cannot be a whole checkpoint.

    Args:
        path: the file.

    Raises:
        FileNotFoundError: it is absent.
        UnusableFileError: it is no regular file, or may not be read.
        CheckpointError: it is empty, begins with zeros, is cut short or
            damaged (its checksums tell), or an archive that would unfold to
            more than 20 times its size.

    Example:
        >>> check_checkpoint_file('nowhere.pth')
        Traceback (most recent call last):
        FileNotFoundError: there is no checkpoint nowhere.pth. Check the path
    """
    if not Path(path).exists() and not Path(path).is_symlink():
        raise FileNotFoundError(
            f'there is no checkpoint {path}. Check the path'
        )
    with open_regular_file(path, MAX_BYTES) as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(4096)
        if not start:
            raise damaged(path, 'it is empty')
        if not start.strip(b'\0'):
            raise damaged(path, f'its first {len(start)} bytes are zeros')
    if start.startswith(_ZIP_MAGIC):
        _check_archive(path, size)


def damaged(path: str | Path, reason: str) -> CheckpointError:
    """The error for a file that is no whole checkpoint.

    Args:
        path: the file.
        reason: what is wrong with it, a clause.
    """
    return CheckpointError(
        f'{path} is not a complete checkpoint: {reason}. It was damaged or '
        f'cut short while being written, copied or downloaded. {_ADVICE}.'
    )


def _check_archive(path: str | Path, size: int) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            unfolded = sum(member.file_size for member in members)
            if unfolded > MAX_UNFOLDING * size:
                raise CheckpointError(
                    f'{path} would unfold from {size / 1e6:.1f} MB to '
                    f'{unfolded / 1e6:.1f} MB, which no checkpoint does: it '
                    f'was not read. {_ADVICE} from where you trust it'
                )
            if any(
                Path(member.filename).name == 'constants.pkl'
                for member in members
            ):
                raise CheckpointError(
                    f'{path} is a TorchScript program, not a checkpoint. '
                    'Name the .pth file that it was made from'
                )
            # torch leaves them out where `set_crc32_options(False)` is set.
            if any(member.CRC for member in members):
                broken = archive.testzip()
                if broken is not None:
                    raise damaged(path, f'the checksum of {broken} is wrong')
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        if isinstance(error, CheckpointError):
            raise
        raise damaged(path, 'its table of contents is broken') from error
