"""Config files, read without running what is hidden in data.

A ``.py`` config is a program, and its user runs it. YAML and JSON are data,
and so are the bases that a config names; MMEngine reads YAML with a loader
that calls whatever function a tag names.
"""

import os.path as osp
import traceback
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmd2a.files import UnusableFileError, read_json, read_text, read_yaml

__all__ = ['read_config_file']

_BASE = '_base_'
_MAX_BYTES = 2**24
_FIX = 'correct it, or name another; whole configs are in configs/'


def read_config_file(path: str) -> Config:
    """Read a config and its bases.

    Args:
        path: ``.py``, ``.yml``, ``.yaml`` or ``.json`` file.

    Raises:
        UnusableFileError: the config, or one of its bases, is no regular
            file, no text, too big, broken, or YAML with tags or references;
            bases go in a circle; or the config fails while it runs.

    Example:
        >>> read_config_file('/dev/zero')
        Traceback (most recent call last):
        ...
        mmd2a.files.errors.UnusableFileError: this is a device or pipe: \
/dev/zero. To fix: give a regular file
    """
    _check(path, ())
    try:
        cfg = Config.fromfile(path)
        list(cfg.items())  # Imports what a pure-Python config names.
        return cfg
    except Exception as error:  # A program may fail in any way.
        raise UnusableFileError(
            f'the config cannot be read ({_tell(error, path)})', path, _FIX
        ) from error


def _check(path: str, readers: tuple[str, ...]) -> None:
    """Look at a config and its bases, before anything of them is run."""
    here = osp.realpath(path)
    if here in readers:
        raise UnusableFileError(
            f'the config is among its own bases ({_BASE})', path, _FIX
        )
    for base in _bases(path):
        if not isinstance(base, str):
            raise UnusableFileError(
                f'{_BASE} of the config must name files, not {base!r:.80}',
                path,
                _FIX,
            )
        if '::' not in base:  # Configs of installed packages are trusted.
            _check(osp.join(osp.dirname(path), base), (*readers, here))


def _bases(path: str) -> list[Any]:
    suffix = Path(path).suffix.lower()
    if suffix in ('.yml', '.yaml', '.json'):
        read = read_json if suffix == '.json' else read_yaml
        content = read(path, max_bytes=_MAX_BYTES)
        if not isinstance(content, dict):
            raise UnusableFileError(
                'the config must hold settings by their names, not '
                f'{type(content).__name__}',
                path,
                _FIX,
            )
        wrong = [key for key in content if not str(key).isidentifier()]
        if wrong:
            raise UnusableFileError(
                f'the config has {wrong[0]!r:.80} where a name must be',
                path,
                _FIX,
            )
        bases = content.get(_BASE, [])
        return bases if isinstance(bases, list) else [bases]
    if suffix != '.py':
        read_text(path, _MAX_BYTES)
        raise UnusableFileError(
            'a config is .py, .yml, .yaml or .json', path, _FIX
        )
    if '\0' in read_text(path, _MAX_BYTES):
        raise UnusableFileError('the config is no text', path, _FIX)
    try:
        if Config._is_lazy_import(path):
            return []  # Its bases are modules, which Python itself imports.
        return Config._get_base_files(path)
    except Exception as error:
        raise UnusableFileError(
            f'the config cannot be read ({_tell(error, path)})', path, _FIX
        ) from error


def _tell(error: Exception, path: str) -> str:
    """An error in a word, with the line of the config it comes from."""
    name = type(error).__name__
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if osp.realpath(frame.filename) == osp.realpath(path)
    ]
    if isinstance(error, SyntaxError):
        lines, text = [error.lineno], error.msg
    elif isinstance(error, AttributeError):
        return f'it asks for {error.name!r}, which is not there'
    else:
        text = ' '.join(str(error).split())[:300]
    place = f'line {lines[-1]}: ' if lines and lines[-1] else ''
    return f'{place}{_WORDS.get(name, name)}: {text}'


_WORDS = dict(
    SyntaxError='no Python',
    KeyError='no such key',
    TypeError='wrong type',
    ConfigParsingError='no config',
)
