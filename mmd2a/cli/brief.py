"""A console with what a person waits for, and a file with all the rest.

A run says hundreds of lines: its config, its environment, its hooks, every
initialised parameter, what libraries think of each other. With ``--brief
FILE`` the console keeps progress, results, warnings of this package and of
the user's own code, and errors; all that would have been said goes to FILE.

Imports nothing but Python's own, for libraries talk while they are imported.
"""

import argparse
import io
import logging
import os
import sys
import sysconfig
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

__all__ = ['add_brief_argument', 'begin_brief', 'is_brief', 'tell']

_PACKAGE = str(Path(__file__).parents[1]) + os.sep
_OTHERS = tuple(
    str(Path(sysconfig.get_path(name)).resolve()) + os.sep
    for name in ('stdlib', 'purelib', 'platlib')
)
# Between who says something and where it comes out.
_MESSENGERS = ('logging', 'warnings', 'mmengine.logging', __name__)


class _State:
    """Where a brief program speaks; None while it is not brief."""

    results: TextIO | None = None
    console: '_Console | None' = None
    said: set[str] = set()


def add_brief_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--brief FILE``, which :func:`begin_brief` has acted upon."""
    parser.add_argument(
        '--brief',
        metavar='FILE',
        help='show progress, results, warnings and errors alone; the whole '
        'log is added to this file',
    )


def begin_brief(arguments: Sequence[str] | None = None) -> None:
    """Be brief from here on if the command line has ``--brief FILE``.

    To be called in the first lines of a program, before its imports, as
    :func:`mmd2a.cli.early_stops.answer_early_stops` is.

    Standard output becomes the file, also for compiled code; results are told
    by :func:`tell`. Standard error stays for progress and errors, of which
    the file has a copy. Warnings are shown if code of this package, or
    outside the installed libraries, says them.

    Args:
        arguments: of the command line, without the name of the program; those
            of this process if not given.

    Raises:
        SystemExit: the file cannot be written.

    Example:
        >>> begin_brief(['config.py'])
        >>> is_brief()
        False
    """
    parser = argparse.ArgumentParser(
        add_help=False, allow_abbrev=False, exit_on_error=False
    )
    parser.add_argument('--brief')
    try:
        known, _ = parser.parse_known_args(arguments)
    except argparse.ArgumentError:  # No file: the tool's own parser tells.
        return
    if known.brief is None or is_brief():
        return
    try:
        Path(known.brief).parent.mkdir(parents=True, exist_ok=True)
        # Ranks share the file: each of their lines goes to its end.
        log = open(known.brief, 'a', 1, errors='backslashreplace')
    except OSError as error:
        sys.exit(f'error: --brief {known.brief}: {error.strerror}')
    sys.stdout.flush()
    results = os.fdopen(os.dup(1), 'w', 1, errors='backslashreplace')
    os.dup2(log.fileno(), 1)
    _State.results = results
    _State.console = sys.stderr = _Console(sys.stderr, log)
    sys.stdout = log
    warnings.showwarning = _show_warning
    logging.setLogRecordFactory(_RecordFactory(logging.getLogRecordFactory()))


def is_brief() -> bool:
    """Whether this program was told to be brief."""
    return _State.console is not None


def tell(text: str) -> None:
    """Tell a result: on standard output, brief or not.

    Args:
        text: lines, without the last newline.

    Example:
        >>> tell('wrote sheet.png')
        wrote sheet.png
    """
    sys.stdout.write(f'{text}\n')
    if _State.results is not None:
        _State.results.write(f'{text}\n')


class _Console(io.TextIOBase):
    """Standard error of a brief program.

    A line that moves, as of a progress bar, stands alone: what comes after
    it begins a new one.
    """

    def __init__(self, console: TextIO, log: TextIO) -> None:
        self.console = console
        self.log = log
        self._moving = False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the console; decides how a bar is drawn."""
        return self.console.encoding

    def write(self, text: str) -> int:
        """Write; what a logger says goes to the file alone."""
        if _is_logger(sys._getframe().f_back):
            return self.log.write(text)
        if not text.startswith('\r') and not (self._moving and text == '\n'):
            self.log.write(text)
        self.show(text)
        return len(text)

    def show(self, text: str) -> None:
        """Write on the console alone."""
        if self._moving and text.strip('\n') and text[0] != '\r':
            self.console.write('\n')
        if text:
            self._moving = text[0] == '\r'
        self.console.write(text)
        self.console.flush()

    def flush(self) -> None:
        """Have everything on the console and in the file."""
        self.console.flush()
        self.log.flush()

    def isatty(self) -> bool:
        """Whether the console is a terminal."""
        return self.console.isatty()

    def fileno(self) -> int:
        """Descriptor of the console."""
        return self.console.fileno()


class _RecordFactory:
    """Make records of loggers; warnings and errors of ours are shown."""

    def __init__(self, factory: Any) -> None:
        self.factory = factory

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = self.factory(*args, **kwargs)
        if record.levelno >= logging.WARNING and _speaker_is_ours():
            _show(f'{record.levelname.lower()}: {record.getMessage()}')
        return record


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Stands for ``warnings.showwarning``."""
    assert _State.console is not None
    _State.console.log.write(
        warnings.formatwarning(message, category, filename, lineno, line)
    )
    if _speaker_is_ours():
        _show(f'warning: {message} ({filename}:{lineno})')


def _show(text: str) -> None:
    """Show a line once, and of several ranks only one's."""
    assert _State.console is not None
    if text not in _State.said and os.environ.get('RANK', '0') == '0':
        _State.said.add(text)
        _State.console.show(f'{text}\n')


def _speaker_is_ours() -> bool:
    """Whether the code that speaks is no library's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_messenger(frame):
        frame = frame.f_back
    if frame is None:
        return False
    file = os.path.realpath(frame.f_code.co_filename)
    return file.startswith(_PACKAGE) or not file.startswith(_OTHERS)


def _is_messenger(frame: FrameType) -> bool:
    name = frame.f_globals.get('__name__', '')
    return any(
        name == messenger or name.startswith(f'{messenger}.')
        for messenger in _MESSENGERS
    )


def _is_logger(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_globals.get('__name__') == 'logging'
