"""What is raised when arguments do not fit."""

__all__ = ['InputError']


class InputError(ValueError):
    """Arguments of a call that cannot be used, with their mend in one line.

    Files that cannot be used are
    :class:`~mmd2a.files.UnusableFileError`, people that cannot
    :class:`~mmd2a.datasets.BadSampleError`; all of them are ``ValueError``.
    """
