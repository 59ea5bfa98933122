"""Numbers as colours: uncertainty on a body, depth in an image."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

SIGMA_COLORMAP = 'viridis'
DEPTH_COLORMAP = 'magma_r'

_INVALID = (225, 225, 225)


def sigma_colors(
    sigma: ArrayLike,
    limits: tuple[float, float] | None = None,
    colormap: str = SIGMA_COLORMAP,
) -> NDArray[np.float32]:
    """Colour vertices by their standard deviation.

    V: vertices.

    Args:
        sigma: (V,) metres.
        limits: values of the two ends of the colour map, metres; what lies
            beyond takes the colour of the end. None: :func:`sigma_limits`.
        colormap: a matplotlib colour map.

    Returns:
        (V, 3) float32 RGB in [0, 1]; grey where sigma is not finite.

    Example:
        >>> sigma_colors([0.01, 0.05], limits=(0.01, 0.05), colormap='gray')
        array([[0., 0., 0.],
               [1., 1., 1.]], dtype=float32)
    """
    sigma = np.asarray(sigma, np.float64)
    lower, upper = sigma_limits([sigma]) if limits is None else limits
    colors = _apply_colormap((sigma - lower) / (upper - lower), colormap)
    return np.where(np.isfinite(sigma)[:, None], colors, 0.7).astype(
        np.float32
    )


def sigma_limits(sigmas: Iterable[ArrayLike]) -> tuple[float, float]:
    """Find colour limits that suit several people at once.

    Args:
        sigmas: one (V,) per person, metres.

    Returns:
        The 2nd and 98th percentile, widened to at least a millimetre and to
        whole millimetres; metres.

    Example:
        >>> sigma_limits([np.linspace(0.01, 0.0322, 500)])
        (0.01, 0.032)
    """
    values = np.concatenate([np.ravel(sigma) for sigma in sigmas] + [[]])
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 0.001
    lower, upper = np.percentile(1e3 * values, [2, 98])
    lower = np.floor(lower)
    return float(lower / 1e3), float(max(np.ceil(upper), lower + 1) / 1e3)


def depth_to_color(
    depth: ArrayLike,
    limits: tuple[float, float] | None = None,
    colormap: str = DEPTH_COLORMAP,
) -> NDArray[np.uint8]:
    """Colour a depth map, near parts bright.

    Args:
        depth: (H, W) any unit, larger = farther; NaN or infinite = invalid.
        limits: depths of the two ends of the colour map. None: the 1st and
            95th percentile of the valid depth.
        colormap: a matplotlib colour map, from near to far.

    Returns:
        (H, W, 3) uint8 RGB; light grey where invalid.

    Example:
        >>> depth_to_color([[1., 2., np.nan]], (1, 2), 'gray')[..., 0]
        array([[  0, 255, 225]], dtype=uint8)
    """
    depth = np.asarray(depth, np.float32)
    valid = np.isfinite(depth)
    if limits is None:
        limits = (0.0, 1.0)
        if valid.any():
            limits = tuple(np.percentile(depth[valid], [1, 95]))
    lower, upper = limits
    image = np.full((*depth.shape, 3), _INVALID, np.uint8)
    share = (depth[valid] - lower) / max(upper - lower, 1e-6)
    image[valid] = np.rint(255 * _apply_colormap(share, colormap))
    return image


def _apply_colormap(share: NDArray, colormap: str) -> NDArray[np.float64]:
    """Colours (..., 3) in [0, 1] of shares, held to [0, 1]."""
    # Here, because matplotlib is slow to import.
    from matplotlib import colormaps

    return colormaps[colormap](np.clip(share, 0, 1))[..., :3]
