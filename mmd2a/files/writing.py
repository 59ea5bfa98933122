"""Files that are either complete or not there."""

import errno
import json
import math
import os
import os.path as osp
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

_SUFFIX = '.incomplete'
_FIX = 'Free some space or make the folder writable, or choose another folder'


def write_bytes(
    path: str | Path, data: bytes | memoryview, fix: str = _FIX
) -> None:
    """Write a file so that a reader never sees part of it.

    Args:
        path: target file; see :func:`whole_file`.
        data: the whole content.
        fix: what the user can do if it fails, for the message.

    Raises:
        OSError: naming the target and the reason.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_bytes(f'{folder}/answer', b'42')
        ...     os.listdir(folder)
        ['answer']
    """
    with whole_file(path, fix, len(data)) as file:
        file.write(data)


@contextmanager
def whole_file(
    path: str | Path, fix: str = _FIX, size: int | None = None
) -> Iterator[BinaryIO]:
    """Open a file for writing that appears when it is complete.

    The bytes go to a hidden file in the same folder, are forced to the disk,
    and only then take the name of the target, in one step of the file system.
    Killed at any moment, this leaves the old file or the new one; so does an
    error inside of ``with``. Any number of processes may write one target:
    the last one stands, whole.

    Args:
        path: target file; its folder is made if needed.
        fix: what the user can do if it fails, for the message.
        size: bytes that it will have, for the message, where it is known.

    Yields:
        The file, opened for writing and for reading what was written.

    Raises:
        OSError: naming the target and the reason (disk full, no permission,
            a folder or device of that name); an older file is untouched and
            nothing is left over.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), 'long.txt')
        >>> with whole_file(path) as file:
        ...     for number in range(3):
        ...         _ = file.write(b'%d ' % number)
        ...     path.exists()
        False
        >>> path.read_bytes()
        b'0 1 2 '
    """
    incomplete = ''
    try:
        # A link stays one; the file that it leads to is replaced.
        target = osp.realpath(path)
        folder, name = osp.split(target)
        os.makedirs(folder, exist_ok=True)
        _require_replaceable(target)
        # A name of its own for every writer; short, since systems limit names.
        incomplete = osp.join(
            folder, f'.{name[:48]}.{secrets.token_hex(4)}{_SUFFIX}'
        )
        with open(incomplete, 'x+b') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(incomplete, target)
    except (OSError, ValueError) as error:
        _remove_if_there(incomplete)
        reason = getattr(error, 'strerror', None) or str(error)
        much = '' if size is None else f' ({size / 1e6:.1f} MB)'
        raise OSError(
            getattr(error, 'errno', None) or errno.EINVAL,
            f'cannot write {path}{much}: {reason}. '
            f'What was there before is untouched. {fix}',
        ) from error
    except BaseException:
        _remove_if_there(incomplete)
        raise
    _sync_folder(folder)


def write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8; see :func:`write_bytes`."""
    write_bytes(path, text.encode())


def write_json(
    path: str | Path, content: Any, indent: int | None = None
) -> None:
    """Write JSON as RFC 8259 has it: NaN and infinity become ``null``.

    Args:
        path: target file; see :func:`write_bytes`.
        content: mappings, sequences, strings, numbers, and whatever has
            ``tolist`` (arrays, tensors, NumPy's numbers).
        indent: spaces per level, for people to read; None: one line.

    Raises:
        TypeError: something else in it.
        OSError: see :func:`write_bytes`.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / 'runs' / 'result.json'
        >>> write_json(path, {'MPJPE': float('nan')})
        >>> path.read_text()
        '{"MPJPE": null}'
    """
    text = json_text(content, indent)
    write_text(path, text if indent is None else text + '\n')


def json_text(content: Any, indent: int | None = None) -> str:
    """The JSON of a content; see :func:`write_json`.

    Example:
        >>> json_text({'MPJPE': float('inf')})
        '{"MPJPE": null}'
    """
    return json.dumps(_to_json(content), indent=indent, allow_nan=False)


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


def _to_json(content: Any) -> Any:
    if hasattr(content, 'tolist'):
        content = content.tolist()
    if isinstance(content, Mapping):
        return {key: _to_json(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_to_json(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content


def _require_replaceable(path: str) -> None:
    """Refuse names whose replacement would do harm: ``/dev/null`` is one."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, 'it is a folder')
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, 'it is a device or pipe, not a file')


def _remove_if_there(path: str) -> None:
    try:
        os.remove(path)
    except (OSError, ValueError):
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
