"""Keep libraries of other languages from the console."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ['silence']


@contextmanager
def silence() -> Iterator[None]:
    """Let nothing reach the console's errors, whatever language says it.

    FFmpeg and OpenCV write there by themselves, and ask how much they may but
    once in a process. What other threads write meanwhile is lost too: put
    little inside.

    Example:
        >>> with silence():
        ...     _ = os.write(2, b'not seen')
    """
    try:
        console = os.dup(2)
    except OSError:  # There is none.
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(console, 2)
        os.close(nowhere)
        os.close(console)
