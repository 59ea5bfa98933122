"""Bring a mask to the levels of this package: 255, 128 and 0."""

import cv2
import numpy as np

from mmd2a.datasets.errors import BadSampleError

#: Grey levels above which a pixel is visible person, or occluded part of it.
VISIBLE, OCCLUDED = 191, 63
_LEVELS = (0, 128, 255)
# So many pixels of a mask with soft edges are near one of the levels.
_NEAR, _SHARE = 16, 0.8
_FIX = (
    'save the mask with 255 for the person and 0 elsewhere (128 for occluded '
    'parts), 8-bit, one channel'
)


def as_mask(mask: np.ndarray, path: str | None = None) -> np.ndarray:
    """Return a mask with 255 visible person, 128 occluded part, 0 background.

    H, W: image size. Taken for what they can only be: boolean masks, 0 and 1,
    these levels in 8 or 16 bits, the alpha channel of a cut-out, three equal
    channels, and soft edges between the levels, which are rounded. Anything
    else (labels of parts or of several people, colours) could be read in
    several ways and is refused, since a person read as background is a wrong
    label of full weight.

    Args:
        mask: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), any numbers.
        path: file it is from, for the message.

    Raises:
        BadSampleError: naming the values found.

    Example:
        >>> as_mask(np.array([[0, 1], [1, 1]]))
        array([[  0, 255],
               [255, 255]], dtype=uint8)
    """
    mask = _one_channel(np.asarray(mask), path)
    if mask.dtype == np.uint8 and (
        ((mask == 0) | (mask == 128) | (mask == 255)).all()
    ):
        return mask  # The usual case, and quickly found.
    if mask.dtype == bool:
        return mask.astype(np.uint8) * 255
    if mask.dtype not in (np.uint8, np.uint16):
        mask = _as_integers(mask, path)
    values = _values(mask)
    if mask.dtype == np.uint16 and values[-1] > 255:
        if (values % 257).any():
            raise _refusal(values, path)
        mask, values = (mask // 257).astype(np.uint8), values // 257
    if values[-1] == 1:
        return mask.astype(np.uint8) * 255
    if set(values.tolist()) <= {*_LEVELS}:
        return mask.astype(np.uint8)
    if len(values) <= 8 or not _is_soft(mask.astype(np.uint8)):
        raise _refusal(values, path)
    out = np.zeros(mask.shape, np.uint8)
    out[mask > OCCLUDED] = 128
    out[mask > VISIBLE] = 255
    return out


def _one_channel(mask: np.ndarray, path: str | None) -> np.ndarray:
    if mask.ndim == 3 and mask.shape[2] == 1:
        return mask[..., 0]
    if mask.ndim == 3 and mask.shape[2] == 4:
        alpha = mask[..., 3]
        if alpha.min() != alpha.max():
            return alpha
        if not alpha.min():
            raise BadSampleError('mask is all transparent', path, _FIX)
        mask = mask[..., :3]
    if mask.ndim == 3 and mask.shape[2] == 3:
        first = mask[..., 0]
        if (mask == first[..., None]).all():
            return first
        raise BadSampleError(
            'mask has colours, whose meaning is not known', path, _FIX
        )
    if mask.ndim != 2 or not mask.size:
        raise BadSampleError(
            f'mask has shape {mask.shape}, not (H, W)', path, _FIX
        )
    return mask


def _as_integers(mask: np.ndarray, path: str | None) -> np.ndarray:
    if mask.dtype.kind not in 'iuf':
        raise BadSampleError(
            f'mask holds {mask.dtype}, not numbers', path, _FIX
        )
    low, high = mask.min(), mask.max()
    if not (low >= 0 and high <= 65535):  # Neither holds for NaN.
        raise BadSampleError(
            f'mask holds values from {low} to {high}', path, _FIX
        )
    out = mask.astype(np.uint16)
    if (out != mask).any():
        raise BadSampleError(
            f'mask holds fractions between {low} and {high}', path, _FIX
        )
    return out


def _values(mask: np.ndarray) -> np.ndarray:
    """The values that occur, in order; much faster than a sort of pixels."""
    size = 256 if mask.dtype == np.uint8 else 65536
    counts = cv2.calcHist(
        [np.ascontiguousarray(mask)], [0], None, [size], [0, size]
    )
    return np.flatnonzero(counts)


def _is_soft(mask: np.ndarray) -> bool:
    """Whether most pixels are near a level, as after blur or compression."""
    counts = np.bincount(mask.ravel(), minlength=256)
    level = np.arange(256)
    near = np.min([np.abs(level - x) for x in _LEVELS], axis=0) <= _NEAR
    return bool(
        counts[near].sum() >= _SHARE * mask.size
        and counts[255 - _NEAR :].sum() > 0
    )


def _refusal(values: np.ndarray, path: str | None) -> BadSampleError:
    shown = ', '.join(map(str, values[:6]))
    more = f' and {len(values) - 6} more' if len(values) > 6 else ''
    return BadSampleError(
        f'mask holds the values {shown}{more}, of which it is not known '
        'which are the person',
        path,
        _FIX,
    )
