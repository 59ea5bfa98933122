"""What the numbers of a depth source mean, declared by the source."""

import numpy as np

DEPTH_KINDS = ('metric', 'depth', 'disparity')


def check_depth_kind(kind: str) -> str:
    """Return the kind, or name those that there are."""
    if kind not in DEPTH_KINDS:
        raise ValueError(
            f'depth_kind must be one of {DEPTH_KINDS}, got {kind!r}'
        )
    return kind


def depth_of_kind(values: np.ndarray, kind: str = 'metric') -> np.ndarray:
    r"""Turn a source's map into depth: larger = farther, NaN = missing.

    - ``'metric'``: metres along the optical axis, above 0. Values of 0, as
      sensors write where they saw nothing, are missing.
    - ``'depth'``: :math:`a z + b` with unknown a > 0 and b, as relative depth
      models give it. Any sign, 0 included, is a value.
    - ``'disparity'``: :math:`a / z + b` with unknown a > 0 and b, as most
      monocular models give it; larger = nearer. It becomes its negative,
      which orders and separates surfaces as depth does; without a and b no
      depth can be had from it.

    Only NaN and infinite values are missing in the latter two: a sign says
    nothing. They need ``normalize_depth(mode='affine')``.

    H, W: map size in pixels.

    Args:
        values: (H, W) floating point, left as it is.
        kind: one of :data:`DEPTH_KINDS`.

    Returns:
        (H, W) float32.

    Raises:
        ValueError: metric depth has negative values.

    Example:
        >>> depth_of_kind(np.array([[0.0, 1.5, -np.inf]]), 'disparity')
        array([[-0. , -1.5,  nan]], dtype=float32)
    """
    check_depth_kind(kind)
    depth = np.array(values, np.float32)
    depth[~np.isfinite(depth)] = np.nan
    if kind == 'disparity':
        return -depth
    if kind == 'metric':
        negative = int((depth < 0).sum())
        if negative:
            raise ValueError(
                f'{negative} of {depth.size} values are negative, which no '
                'depth in metres is'
            )
        depth[depth == 0] = np.nan
    return depth


def check_normalization(kind: str | None, mode: str) -> None:
    """Refuse depth without metres where metres are asked for.

    Args:
        kind: one of :data:`DEPTH_KINDS`; None, if no source declared it, is
            taken for metric.
        mode: of :func:`~mmd2a.depth.normalize_depth`.

    Raises:
        ValueError: the kind is not metric, the mode is.

    Example:
        >>> check_normalization('disparity', 'affine')
    """
    if mode == 'metric' and kind not in (None, 'metric'):
        raise ValueError(
            f"depth_kind='{kind}' has no unit, but depth_normalization has "
            "mode='metric': give the data preprocessor "
            "depth_normalization=dict(mode='affine')"
        )
