"""Read the files of a frame, and say clearly when one cannot be used."""

import io
import re
from pathlib import Path

import cv2
import numpy as np

from mmd2a.datasets.errors import BadSampleError
from mmd2a.depth import depth_of_kind

# A JPEG marker that ends an entropy-coded scan: 0xFF not followed by a stuffed
# zero, a fill byte or a restart marker.
_SCAN_END = re.compile(rb'\xff[^\x00\xff\xd0-\xd7]')
_DECLARE = (
    "declare what it is: LoadFrame(depth_kind='depth') or 'disparity', with "
    "depth_normalization=dict(mode='affine'); missing pixels are NaN or 0"
)
_REPLACE = 'replace the file, or remove the sample from the annotations'


def read_image(path: str) -> np.ndarray:
    """Read an image file: (H, W, 3) uint8, BGR."""
    return _decode(
        _read(path, 'image', 'img_path'), path, 'image', cv2.IMREAD_COLOR
    )


def read_mask(path: str) -> np.ndarray:
    """Read a mask file: (H, W) uint8."""
    return _decode(
        _read(path, 'mask', 'mask_path'), path, 'mask', cv2.IMREAD_GRAYSCALE
    )


def read_depth(path: str, kind: str = 'metric') -> np.ndarray:
    """Read a depth map: (H, W) float32, larger = farther, NaN where invalid.

    A 16-bit PNG holds thousandths, of metres if the kind is metric, and 0
    where there is no value. A ``.npy`` holds floating-point values, NaN or
    infinite where there is none. What they mean is the kind, see
    :func:`~mmd2a.depth.depth_of_kind`.
    """
    data = _read(path, 'depth', 'depth_path')
    if Path(path).suffix == '.npy':
        try:
            depth = np.load(io.BytesIO(data), allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise BadSampleError(
                f'depth file cannot be read ({error})', path, _REPLACE
            ) from error
        if depth.ndim != 2 or depth.dtype.kind != 'f':
            raise BadSampleError(
                f'depth array is {depth.dtype} of shape {depth.shape}, not '
                'floating point (H, W)',
                path,
                'save one floating-point value per pixel',
            )
        try:
            return depth_of_kind(depth, kind)
        except ValueError as error:
            raise BadSampleError(
                f'depth file is no metric depth ({error})', path, _DECLARE
            ) from error
    pixels = _decode(data, path, 'depth', cv2.IMREAD_UNCHANGED)
    if pixels.dtype != np.uint16 or pixels.ndim != 2:
        raise BadSampleError(
            f'depth image is {pixels.dtype} of shape {pixels.shape}, not '
            '16-bit with one channel',
            path,
            'save millimetres as a 16-bit grey PNG, or depth as .npy',
        )
    depth = pixels * np.float32(1e-3)
    depth[pixels == 0] = np.nan
    return depth_of_kind(depth, kind)


def is_truncated(data: bytes) -> bool:
    """Whether a JPEG or PNG ends before its end marker.

    Decoders fill what is missing with grey and say so only on the console.
    Other formats are left to the decoder.
    """
    if data.startswith(b'\x89PNG'):
        return b'IEND' not in data
    if not data.startswith(b'\xff\xd8') or data.endswith(b'\xff\xd9'):
        return False
    # No end marker at the very end: cameras append other data after it, so
    # walk the segments. Those before a scan state their length; a scan ends
    # at the next marker.
    position = 2
    while position + 4 <= len(data):
        marker = data[position + 1]
        if data[position] != 0xFF:
            return False  # Not a marker: for the decoder to judge.
        if marker == 0xFF:
            position += 1  # A fill byte.
            continue
        if marker == 0xD9:
            return False
        position += 2 + int.from_bytes(
            data[position + 2 : position + 4], 'big'
        )
        if marker == 0xDA:
            scan_end = _SCAN_END.search(data, position)
            if scan_end is None:
                return True
            position = scan_end.start()
    return data[position : position + 2] != b'\xff\xd9'


def _read(path: str, kind: str, key: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BadSampleError(
            f'{kind} cannot be read ({error.strerror})',
            path,
            f"check {key} in the annotations and the data set's data_root",
        ) from error


def _decode(data: bytes, path: str, kind: str, flags: int) -> np.ndarray:
    if not data:
        raise BadSampleError(f'{kind} file is empty', path, _REPLACE)
    if is_truncated(data):
        raise BadSampleError(
            f'{kind} file is truncated ({len(data)} bytes)', path, _REPLACE
        )
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise BadSampleError(
            f'{kind} file cannot be decoded ({error.err})', path, _REPLACE
        ) from error
    if pixels is None:
        raise BadSampleError(f'{kind} file cannot be decoded', path, _REPLACE)
    return pixels
