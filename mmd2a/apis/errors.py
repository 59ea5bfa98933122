"""What is raised when arguments do not fit, or one picture of many."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mmd2a.datasets.errors import BadSampleError
from mmd2a.files import UnusableFileError

__all__ = ['PICTURE_ERRORS', 'InputError', 'OnError', 'reported_to']

#: Wrong with one picture, its boxes or its depth; others may be fine.
PICTURE_ERRORS = (UnusableFileError, BadSampleError)
#: Takes an error of :data:`PICTURE_ERRORS`.
OnError = Callable[[Exception], None]


class InputError(ValueError):
    """Arguments of a call that cannot be used, with their mend in one line.

    Files that cannot be used are
    :class:`~mmd2a.files.UnusableFileError`, people that cannot
    :class:`~mmd2a.datasets.BadSampleError`; all of them are ``ValueError``.
    """


@contextmanager
def reported_to(on_error: OnError | None) -> Iterator[None]:
    """Report what is wrong with one picture, and go on after it.

    Args:
        on_error: told of the error; None: the error is raised.

    Example:
        >>> with reported_to(print):
        ...     raise BadSampleError('nobody is there', 'a.jpg')
        nobody is there: a.jpg
    """
    try:
        yield
    except PICTURE_ERRORS as error:
        if on_error is None:
            raise
        on_error(error)
