"""What a data set raises when a sample cannot be used."""


class BadSampleError(ValueError):
    """One sample is unusable; the others may be fine.

    Transforms raise it. :class:`~mmd2a.datasets.BodyDataset` skips and counts
    such samples in training and passes the error on in testing.

    Args:
        reason: what was found.
        path: the file it was found in, if a file is to blame.
        fix: what the user can do about it.

    Example:
        >>> raise BadSampleError('image not found', path='a.jpg',
        ...                      fix='correct img_path')
        Traceback (most recent call last):
        ...
        mmd2a.datasets.errors.BadSampleError: image not found: a.jpg. To fix: \
correct img_path
    """

    def __init__(
        self, reason: str, path: str | None = None, fix: str | None = None
    ) -> None:
        message = reason if path is None else f'{reason}: {path}'
        # A data loader worker hands errors on as `type(error)(text)`: one
        # argument has to be enough.
        super().__init__(
            message if fix is None else f'{message}. To fix: {fix}'
        )
