"""Masks of COCO's annotations: polygons and run lengths."""

from types import ModuleType
from typing import Any

import numpy as np

__all__ = ['decode_mask', 'encode_segmentation']

# A side of a picture, and how far outside it a polygon may lie.
_LARGEST_SIDE = 65500
_OUTSIDE = 4


def encode_segmentation(
    segmentation: Any, height: int, width: int
) -> dict[str, Any]:
    """Return the run lengths of a segmentation, which take little memory.

    Args:
        segmentation: as COCO has it: polygons ``[[x1, y1, x2, y2, ...],
            ...]``, or ``dict(size=[height, width], counts=...)`` with
            numbers or COCO's compressed text.
        height: of the picture, pixels.
        width: of the picture.

    Returns:
        ``size`` [height, width] and ``counts``, compressed, bytes.

    Raises:
        ValueError: polygons of fewer than three points, or far outside the
            picture, or run lengths of another size.
        ImportError: pycocotools is not installed.

    Example:
        >>> rle = encode_segmentation([[1, 1, 5, 1, 5, 4, 1, 4]], 6, 8)
        >>> int((decode_mask(rle) > 0).sum())
        12
    """
    if not 0 < height <= _LARGEST_SIDE or not 0 < width <= _LARGEST_SIDE:
        raise ValueError(f'the picture is {width}x{height} (WxH)')
    library = _library()
    if isinstance(segmentation, dict):
        return _checked_rle(segmentation, height, width)
    if not isinstance(segmentation, list) or not segmentation:
        raise ValueError(
            'segmentation is neither polygons nor an object with size and '
            'counts'
        )
    polygons = [_polygon(points, height, width) for points in segmentation]
    return library.merge(library.frPyObjects(polygons, height, width))


def decode_mask(rle: dict[str, Any]) -> np.ndarray:
    """Return the mask (H, W) uint8 of run lengths: 255 person, 0 not.

    Args:
        rle: what :func:`encode_segmentation` gives.
    """
    return np.ascontiguousarray(_library().decode(rle)) * np.uint8(255)


def _checked_rle(rle: dict, height: int, width: int) -> dict[str, Any]:
    if list(rle.get('size') or ()) != [height, width]:
        raise ValueError(
            f'segmentation has size {rle.get("size")}, its picture '
            f'[{height}, {width}]'
        )
    counts = rle.get('counts')
    if isinstance(counts, list):
        runs = counts
    elif isinstance(counts, str) and counts.isascii():
        counts = counts.encode()
        runs = _runs(counts)
    else:
        raise ValueError('the counts of segmentation are no run lengths')
    whole = all(type(run) is int and run >= 0 for run in runs)
    if not whole or sum(runs) != height * width:
        raise ValueError(
            'the run lengths of segmentation do not fill the '
            f'{width}x{height} picture'
        )
    if isinstance(counts, bytes):
        return dict(size=[height, width], counts=counts)
    return _library().frPyObjects(
        dict(size=[height, width], counts=runs), height, width
    )


def _runs(counts: bytes) -> list[int]:
    """Run lengths of COCO's text, which its library trusts."""
    runs: list[int] = []
    value = shift = 0
    for byte in counts:
        bits = byte - 48
        if not 0 <= bits < 64 or shift > 30:
            raise ValueError('the counts of segmentation are no run lengths')
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError('the counts of segmentation end in a number')
    return runs


def _polygon(points: Any, height: int, width: int) -> list[float]:
    try:
        array = np.asarray(points, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError('a polygon of segmentation is no numbers') from error
    if array.ndim != 1 or array.size < 6 or array.size % 2:
        raise ValueError(
            'a polygon of segmentation is not [x1, y1, x2, y2, x3, y3, ...]'
        )
    if not np.abs(array).max() <= _OUTSIDE * max(height, width):
        raise ValueError(
            f'a polygon of segmentation lies far outside its {width}x{height} '
            'picture'
        )
    return array.tolist()


def _library() -> ModuleType:
    try:
        from pycocotools import mask
    except ImportError as error:
        raise ImportError(
            "COCO's segmentations need pycocotools: pip install pycocotools"
        ) from error
    return mask
