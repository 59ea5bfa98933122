"""Write pictures so that a half-written one is never seen."""

import os
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def save_image(path: str | Path, image: NDArray[np.uint8]) -> None:
    """Write an image to a file that is either complete or not there.

    Args:
        path: target; the ending (``.png``, ``.jpg``) decides the format.
            Missing folders are made.
        image: (H, W, 3) uint8 RGB.

    Raises:
        ValueError: the ending names no image format.
        OSError: the file cannot be written; says where and why.
    """
    path = Path(path)
    try:
        done, data = cv2.imencode(path.suffix, image[..., ::-1])
    except cv2.error:
        done = False
    if not done:
        raise ValueError(
            f'cannot tell the image format of {path}: end it in .png or .jpg'
        )
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(
            prefix=f'.{path.stem}-', suffix=path.suffix, dir=path.parent
        )
        with os.fdopen(handle, 'wb') as file:
            file.write(data.tobytes())
        # A temporary file is private; a picture has the usual permissions.
        os.chmod(part, 0o666 & ~_umask())
        os.replace(part, path)
    except OSError as error:
        if part is not None and os.path.exists(part):
            os.remove(part)
        raise OSError(
            error.errno,
            f'cannot write the image {path}: {error.strerror}. Make the '
            f'folder {path.parent} writable, free some space, or choose '
            'another folder',
        ) from error


def _umask() -> int:
    """The process's mask; it can be read only by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
