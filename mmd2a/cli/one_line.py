"""Which errors a user is told in one line, and that line.

The others keep their traceback: they are for whoever mends the code.
"""

import errno
import re

from mmd2a.apis.errors import InputError
from mmd2a.cli.tool_config import UsageError
from mmd2a.datasets.errors import BadSampleError
from mmd2a.engine.best_checkpoint import SaveBestError
from mmd2a.engine.checkpoint_loading import CheckpointError
from mmd2a.engine.distributed import LauncherError
from mmd2a.engine.non_finite_guard_hook import NonFiniteError
from mmd2a.engine.trained_parts import UntrainedPartsError
from mmd2a.files import UnusableFileError

_TOLD = (
    UsageError,
    InputError,
    LauncherError,
    CheckpointError,
    SaveBestError,
    UnusableFileError,
    BadSampleError,
    NonFiniteError,
    UntrainedPartsError,
)
# What the system refuses, or what is not there: no mistake of the code.
_SYSTEM = {
    getattr(errno, name)
    for name in (
        'EACCES',
        'EPERM',
        'EROFS',
        'ENOSPC',
        'EDQUOT',
        'EFBIG',
        'ENOENT',
        'ENOTDIR',
        'EISDIR',
        'ELOOP',
        'ENAMETOOLONG',
    )
    if hasattr(errno, name)
}
_NO_ROOM = {errno.ENOSPC, errno.EFBIG}
# A worker of a data loader hands on the text of its traceback, and of the
# error only that. The last line of it names the error.
_WORKER = re.compile(r'Caught \w+ in .* process \d+\.\nOriginal Traceback')
_NAME = re.compile(r'^[\w.]+: (?:\[Errno \d+\] )?')
_OF_SYSTEM = re.compile(
    r'^(PermissionError|FileNotFoundError|NotADirectoryError|'
    r'IsADirectoryError|OSError): \[Errno (\d+)\] '
)


def one_line(error: BaseException) -> str | None:
    """Say in one line what an error tells a user; None if it tells nothing.

    Args:
        error: as it arrived, from a worker of a data loader or from here.

    Example:
        >>> one_line(UsageError('there is no config a.py'))
        'there is no config a.py'
        >>> one_line(PermissionError(13, 'Permission denied', '/data'))
        "Permission denied: '/data'. Choose a place that can be read and \
written, or make this one so"
        >>> one_line(KeyError('a'))
    """
    text = str(error)
    if _WORKER.match(text):
        text = text.strip().splitlines()[-1]
        system = _OF_SYSTEM.match(text)
        known = isinstance(error, _TOLD) or (
            system is not None and int(system[2]) in _SYSTEM
        )
        number = int(system[2]) if system else None
        text = _NAME.sub('', text)
    else:
        number = getattr(error, 'errno', None)
        known = isinstance(error, _TOLD) or number in _SYSTEM
        text = ' '.join(_strip_errno(text).split())
    if not known:
        return None
    # Readers and writers of this package name the mend themselves.
    if number in (errno.EACCES, errno.EPERM, errno.EROFS) and '. ' not in text:
        text += (
            '. Choose a place that can be read and written, or make this one '
            'so'
        )
    if number in _NO_ROOM and '. ' not in text:
        text += '. Free some space, here and where TMPDIR is'
    return text


def _strip_errno(text: str) -> str:
    return re.sub(r'^\[Errno \d+\] ', '', text)
