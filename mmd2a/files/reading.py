"""Read data files that nobody vouches for."""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from mmd2a.files.errors import UnusableFileError

#: Files and archives that unfold to more than this are refused, bytes.
MAX_BYTES = 2**31

_JSON_FIX = 'write it again as JSON, in UTF-8'
_NAMES = {dict: 'an object {...}', list: 'a list [...]'}


@contextmanager
def open_regular_file(
    path: str | Path, max_bytes: int = MAX_BYTES
) -> Iterator[BinaryIO]:
    """Open a file for reading, if it is one and not too big.

    Folders, devices, pipes and links that lead nowhere or in circles are
    refused without reading from them, and without waiting.

    Args:
        path: the file.
        max_bytes: the size allowed.

    Raises:
        UnusableFileError: naming the file and what is wrong with it.
    """
    try:
        # A pipe that nobody writes to would otherwise keep us waiting.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, 'O_NONBLOCK', 0))
    except OSError as error:
        raise _system_error(error, path) from error
    except ValueError as error:  # NUL, or what no file system can spell.
        raise UnusableFileError(
            f'no file can have this name ({error})',
            repr(os.fspath(path)),
            'correct the path',
        ) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise UnusableFileError(
            'this is a folder'
            if stat.S_ISDIR(status.st_mode)
            else 'this is a device or pipe',
            path,
            'give a regular file',
        )
    with open(descriptor, 'rb') as file:
        if status.st_size > max_bytes:
            raise _too_big(path, f'{status.st_size:,} bytes', max_bytes)
        try:
            yield file
        except UnusableFileError:
            raise
        except OSError as error:
            raise _system_error(error, path) from error


def read_bytes(path: str | Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Read a regular file of at most ``max_bytes``.

    Raises:
        UnusableFileError: see :func:`open_regular_file`.

    Example:
        >>> read_bytes('/dev/zero')
        Traceback (most recent call last):
        ...
        mmd2a.files.errors.UnusableFileError: this is a device or pipe: \
/dev/zero. To fix: give a regular file
    """
    with open_regular_file(path, max_bytes) as file:
        # Asked for more than there is, Python would first find room for it.
        size = os.fstat(file.fileno()).st_size
        data = file.read(size + 1)
        if len(data) > size:  # Some systems state less than they give out.
            data += file.read(max_bytes + 1 - len(data))
    if len(data) > max_bytes:
        raise _too_big(path, 'too many bytes', max_bytes)
    return data


def read_text(path: str | Path, max_bytes: int = MAX_BYTES) -> str:
    """Read UTF-8 text, with or without a byte order mark.

    Raises:
        UnusableFileError: not a file, too big, or not UTF-8.
    """
    try:
        return read_bytes(path, max_bytes).decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise UnusableFileError(
            f'the file is not UTF-8 text ({error.reason} at byte '
            f'{error.start})',
            path,
            'save it in UTF-8',
        ) from error


def read_json(
    path: str | Path,
    top: type[dict] | type[list] | None = None,
    allow_nan: bool = False,
    max_bytes: int = MAX_BYTES,
) -> Any:
    """Read a JSON file.

    Args:
        path: UTF-8 text.
        top: what the file must hold, ``dict`` or ``list``; None: anything.
        allow_nan: take the words NaN and Infinity, which JSON does not know
            and Python writes.
        max_bytes: the size allowed.

    Raises:
        UnusableFileError: not a file, too big, no JSON, a key twice in one
            object (one of the values would be lost), nested too deep, or
            something else at the top.
    """
    text = read_text(path, max_bytes)
    if not text or text.isspace():
        raise UnusableFileError('the file is empty', path, _JSON_FIX)
    try:
        content = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=None if allow_nan else _refuse_constant,
        )
    except RecursionError as error:
        raise UnusableFileError(
            'the JSON is nested too deep', path, _JSON_FIX
        ) from error
    except ValueError as error:
        raise UnusableFileError(
            f'the file is not JSON ({error})', path, _JSON_FIX
        ) from error
    if top is not None and not isinstance(content, top):
        raise UnusableFileError(
            f'the file must hold {_NAMES[top]}, not {type(content).__name__}',
            path,
            f'put {_NAMES[top]} at its top',
        )
    return content


def read_yaml(path: str | Path, max_bytes: int = 2**24) -> Any:
    """Read a YAML file of plain values: no tags, no references.

    A tag may name any Python function, and references unfold without end.

    Raises:
        UnusableFileError: not a file, too big, no YAML, a tag or a reference
            in it, or nested too deep.
    """
    import yaml

    # What PyYAML takes in is small here: its pure loader is quick enough.
    class PlainLoader(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError('it refers to itself by *')
            return super().compose_node(parent, index)

    text = read_text(path, max_bytes)
    try:
        return yaml.load(text, PlainLoader)
    except RecursionError as error:
        raise UnusableFileError(
            'the YAML is nested too deep', path, 'write it again'
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        reason = ' '.join(str(error).split())
        raise UnusableFileError(
            f'the file is not plain YAML ({reason})',
            path,
            'write plain values without tags (!...) and references (*...)',
        ) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f'key {twice!r} stands twice in one object')
    return content


def _refuse_constant(word: str) -> None:
    raise ValueError(f'{word} is not a number of JSON')


def _system_error(error: OSError, path: str | Path) -> UnusableFileError:
    unusable = UnusableFileError(
        f'the file cannot be read ({error.strerror or error})',
        path,
        'correct the path, or make the file readable',
    )
    unusable.errno = error.errno
    return unusable


def _too_big(path: str | Path, size: str, max_bytes: int) -> UnusableFileError:
    return UnusableFileError(
        f'the file has {size}, {max_bytes:,} are allowed',
        path,
        'give the right file, or split this one',
    )
