"""Being told to stop while a program still imports what it needs.

That takes seconds, in which Python answers Ctrl-C with a traceback and
SIGTERM with silence. Nothing has been started or written by then, so that
leaving at once is all there is to do; imports nothing but Python's own.
"""

import os
import signal
from types import FrameType

_SIGNALS = ('SIGINT', 'SIGTERM', 'SIGUSR1')


def answer_early_stops() -> None:
    """Answer signals to stop by one line and exit code 128 + n from here on.

    Of several ranks the first one tells it. :func:`mmd2a.cli.launch.run_tool`
    takes over. To be called in the main thread of a program, before it
    imports anything else.

    Example:
        >>> import subprocess, sys
        >>> code = (
        ...     'import signal; from mmd2a.cli import early_stops; '
        ...     'early_stops.answer_early_stops(); '
        ...     'signal.raise_signal(signal.SIGTERM)'
        ... )
        >>> subprocess.run([sys.executable, '-c', code]).returncode
        143
    """
    for name in _SIGNALS:
        if hasattr(signal, name):  # Windows lacks one.
            signal.signal(getattr(signal, name), _leave)


def _leave(signum: int, frame: FrameType | None) -> None:
    if os.environ.get('RANK', '0') == '0':
        line = f'stopped by {signal.Signals(signum).name}\n'
        os.write(2, line.encode())
    # No cleaning up: half of a package is imported.
    os._exit(128 + signum)
