"""What is raised when a file cannot be used."""

import os


class UnusableFileError(OSError, ValueError):
    """A file that is absent, not readable, or not what it should be.

    Both the system's refusals and wrong content end here, so that one
    ``except`` is enough; code that expects ``OSError`` or ``ValueError`` from
    a reader gets them too (as from :class:`io.UnsupportedOperation`).

    Args:
        reason: what was found.
        path: the file.
        fix: what the user can do about it.

    Attributes:
        reason: as given; '' once the error has come through a data loader.

    Example:
        >>> raise UnusableFileError('the file is empty', 'a.json',
        ...                         'write it again')
        Traceback (most recent call last):
        ...
        mmd2a.files.errors.UnusableFileError: the file is empty: a.json. \
To fix: write it again
    """

    def __init__(
        self,
        reason: str,
        path: str | os.PathLike | None = None,
        fix: str | None = None,
    ) -> None:
        message = reason if path is None else f'{reason}: {os.fspath(path)}'
        # A data loader worker hands errors on as `type(error)(text)`: one
        # argument has to be enough.
        super().__init__(
            message if fix is None else f'{message}. To fix: {fix}'
        )
        self.reason = reason
        self.fix = fix
