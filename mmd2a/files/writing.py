"""Files that are either complete or not there."""

import errno
import json
import math
import os
import os.path as osp
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_SUFFIX = '.incomplete'
_FIX = 'Free some space or make the folder writable, or choose another folder'


def write_bytes(
    path: str | Path, data: bytes | memoryview, fix: str = _FIX
) -> None:
    """Write a file so that a reader never sees part of it.

    The bytes go to a hidden file in the same folder, are forced to the disk,
    and only then take the name of the target, in one step of the file system.
    Killed at any moment, this leaves the old file or the new one. Any number
    of processes may write one target: the last one stands, whole.

    Args:
        path: target file; its folder is made if needed.
        data: the whole content.
        fix: what the user can do if it fails, for the message.

    Raises:
        OSError: naming the target and the reason (disk full, no permission,
            a folder or device of that name); an older file is untouched and
            nothing is left over.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_bytes(f'{folder}/answer', b'42')
        ...     os.listdir(folder)
        ['answer']
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
        with open(incomplete, 'xb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(incomplete, target)
    except (OSError, ValueError) as error:
        _remove_if_there(incomplete)
        reason = getattr(error, 'strerror', None) or str(error)
        raise OSError(
            getattr(error, 'errno', None) or errno.EINVAL,
            f'cannot write {path} ({len(data) / 1e6:.1f} MB): {reason}. '
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
    text = json.dumps(_to_json(content), indent=indent, allow_nan=False)
    write_text(path, text if indent is None else text + '\n')


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
