"""Read the files of a frame, and say clearly when one cannot be used."""

from pathlib import Path

import cv2
import numpy as np

from mmd2a.datasets.errors import BadSampleError
from mmd2a.datasets.transforms.masks import as_mask
from mmd2a.depth import depth_of_kind
from mmd2a.files import (
    MAX_IMAGE_BYTES,
    UnusableFileError,
    decode_image,
    palette_indices,
    read_bytes,
    read_npy,
)

_DECLARE = (
    "declare what it is: LoadFrame(depth_kind='depth') or 'disparity', with "
    "depth_normalization=dict(mode='affine'); missing pixels are NaN or 0"
)
_PICTURE = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH


def read_image(path: str) -> np.ndarray:
    """Read an image file: (H, W, 3) uint8, BGR, turned as the camera says.

    Of 16 bits per channel the upper 8 are kept.
    """
    pixels = _decode(_read(path, 'image'), path, 'image', _PICTURE)
    if pixels.dtype == np.uint16:
        if pixels.max() < 256:
            raise BadSampleError(
                f'image has 16 bits, but no value above {pixels.max()}: '
                'nearly black',
                path,
                'save it with 8 bits',
            )
        pixels = (pixels >> 8).astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise BadSampleError(
            f'image holds {pixels.dtype}', path, 'save it with 8 bits'
        )
    return pixels


def read_mask(path: str) -> np.ndarray:
    """Read a mask: (H, W) uint8, see :func:`as_mask`.

    A picture file or an ``.npy``. Of a palette the indices count, not the
    colours.
    """
    if Path(path).suffix == '.npy':
        return as_mask(_read_array(path, 'mask'), path)
    data = _read(path, 'mask')
    # Compression mixes colours, but keeps their brightness.
    flags = (
        cv2.IMREAD_GRAYSCALE
        if data.startswith(b'\xff\xd8')
        else cv2.IMREAD_UNCHANGED
    )
    return as_mask(_decode(palette_indices(data), path, 'mask', flags), path)


def read_depth(path: str, kind: str = 'metric') -> np.ndarray:
    """Read a depth map: (H, W) float32, larger = farther, NaN where invalid.

    A 16-bit PNG, or a ``.npy`` of such pixels, holds thousandths, of metres if
    the kind is metric, and 0 where there is no value. A ``.npy`` of
    floating-point values holds these, NaN or infinite where there is none.
    What they mean is the kind, see :func:`~mmd2a.depth.depth_of_kind`.
    """
    if Path(path).suffix == '.npy':
        pixels = _read_array(path, 'depth')
        if pixels.ndim != 2 or not (
            pixels.dtype.kind == 'f' or pixels.dtype == np.uint16
        ):
            raise BadSampleError(
                f'depth array is {pixels.dtype} of shape {pixels.shape}, not '
                'floating point (H, W), nor 16-bit thousandths',
                path,
                'save one floating-point value per pixel',
            )
        if pixels.dtype.kind == 'f':
            try:
                return depth_of_kind(pixels, kind)
            except ValueError as error:
                raise BadSampleError(
                    f'depth file is no metric depth ({error})', path, _DECLARE
                ) from error
    else:
        pixels = _decode(
            _read(path, 'depth'), path, 'depth', cv2.IMREAD_UNCHANGED
        )
    if pixels.dtype != np.uint16 or pixels.ndim != 2:
        raise BadSampleError(
            f'depth image is {pixels.dtype} of shape {pixels.shape}, not '
            '16-bit with one channel',
            path,
            'save millimetres as a 16-bit grey PNG, or depth as .npy',
        )
    depth = pixels * np.float32(1e-3)
    np.copyto(depth, np.nan, where=pixels == 0)
    # Positive or NaN by now: of metres nothing is left to look at.
    return depth if kind == 'metric' else depth_of_kind(depth, kind)


def _read(path: str, kind: str) -> bytes:
    try:
        return read_bytes(path, MAX_IMAGE_BYTES)
    except UnusableFileError as error:
        raise _bad_sample(error, path, kind) from error


def _read_array(path: str, kind: str) -> np.ndarray:
    try:
        return read_npy(path, MAX_IMAGE_BYTES)
    except UnusableFileError as error:
        raise _bad_sample(error, path, kind) from error


def _decode(data: bytes, path: str, kind: str, flags: int) -> np.ndarray:
    try:
        return decode_image(data, path, flags)
    except UnusableFileError as error:
        raise _bad_sample(error, path, kind) from error


def _bad_sample(
    error: UnusableFileError, path: str, kind: str
) -> BadSampleError:
    reason = error.reason.replace('the file', f'{kind} file', 1)
    if error.errno is not None:
        fix = (
            f'check {kind}_path in the annotations'.replace('image', 'img')
            + " and the data set's data_root"
        )
    else:
        fix = f'{error.fix}, or remove the sample from the annotations'
    return BadSampleError(reason, path, fix)
