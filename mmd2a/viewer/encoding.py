"""Numbers of a page: whole, as differences in time, deflated, as text."""

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ['MISSING_LEVEL', 'STEP', 'level_indices', 'pack', 'quantize']

#: Lengths are told in multiples of this, metres. A vertex is off by half of it
#: along each axis, so by 0.087 mm at most.
STEP = 1e-4
#: Index of what has no level.
MISSING_LEVEL = 255


def quantize(lengths: ArrayLike) -> tuple[NDArray[np.int16], float]:
    """Lengths as whole multiples of a step.

    Args:
        lengths: (...) metres, finite.

    Returns:
        (...) int16, and the step, metres: :data:`STEP`, or more where lengths
        beyond 3.2 m would not fit.

    Example:
        >>> quantize([0.25, -1.0])
        (array([  2500, -10000], dtype=int16), 0.0001)
    """
    lengths = np.asarray(lengths, np.float64)
    step = max(STEP, float(np.abs(lengths).max(initial=0)) / 32767)
    return np.rint(lengths / step).astype(np.int16), step


def level_indices(
    values: ArrayLike, limits: tuple[float, float]
) -> NDArray[np.uint8]:
    """Where numbers lie between two limits, in 255 levels.

    Args:
        values: (...) any unit.
        limits: values of the levels 0 and 254; what is beyond takes theirs.

    Returns:
        (...) uint8; :data:`MISSING_LEVEL` where a number is not finite.

    Example:
        >>> level_indices([0.01, 0.02, 0.9, np.nan], (0.01, 0.03))
        array([  0, 127, 254, 255], dtype=uint8)
    """
    values = np.asarray(values, np.float64)
    lower, upper = limits
    share = np.clip((values - lower) / (upper - lower), 0, 1)
    levels = np.where(np.isfinite(values), 254 * share, MISSING_LEVEL)
    return np.rint(levels).astype(np.uint8)


def pack(numbers: NDArray[Any]) -> dict[str, Any]:
    """Whole numbers as text that the page unpacks.

    Each row is told as its difference from the row before, modulo the type,
    small ones of either sign as small numbers (zigzag: 0, -1, 1, -2 become 0,
    1, 2, 3), the lowest bytes of all first: neighbours in time are alike, and
    deflate makes little of the rest.

    Args:
        numbers: (N, ...) of an integer type of 1, 2 or 4 bytes.

    Returns:
        ``type``, its name; ``row``, numbers in a row; ``data``, base64 of the
        zlib stream.

    Example:
        >>> packed = pack(np.array([[7, 7], [7, 8]], np.uint8))
        >>> packed['type'], packed['row']
        ('uint8', 2)
        >>> list(zlib.decompress(base64.b64decode(packed['data'])))
        [14, 14, 0, 2]
    """
    rows = numbers.reshape(len(numbers), -1)
    bits = 8 * rows.itemsize
    signed = rows.astype(f'i{rows.itemsize}')
    change = signed.copy()
    change[1:] -= signed[:-1]
    coded = ((change << 1) ^ (change >> (bits - 1))).astype(
        f'<u{rows.itemsize}'
    )
    planes = coded.reshape(-1, 1).view(np.uint8).T
    return dict(
        type=rows.dtype.name,
        row=rows.shape[1],
        data=base64.b64encode(zlib.compress(planes.tobytes(), 9)).decode(),
    )
