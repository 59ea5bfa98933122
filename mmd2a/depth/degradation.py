"""Turn exact depth into what a monocular depth model would have given."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.special import ndtri

# The normal distribution cut into 256 equal parts: their middles, rescaled to
# deviation 1.
_NORMAL_LEVELS = ndtri((np.arange(256) + 0.5) / 256)
_NORMAL_LEVELS = (_NORMAL_LEVELS / _NORMAL_LEVELS.std()).astype(np.float32)


@dataclass(frozen=True)
class DepthDegradation:
    r"""What is wrong with pseudo-depth, and how much of it.

    H, W: map size in pixels. Applied in this order to a map z in metres, with
    random numbers drawn per map:

    1. affine in disparity: :math:`1/z \leftarrow 1/z + b/m`, with the map's
       median m and b uniform in +- ``disparity_shift``. Models that predict
       disparity up to an affine leave this error behind when their output is
       read as depth.
    2. affine in depth: :math:`z \leftarrow s z + t`, s log-uniform in
       [1 / (1 + ``scale``), 1 + ``scale``], t uniform in +- ``shift`` metres.
    3. low-frequency warp: :math:`z \leftarrow z e^{w}`, w a smooth field of
       standard deviation ``warp`` over ``warp_cells`` cells a side. Most of a
       model's error: surfaces lean, bend and drift against each other.
    4. soft edges: blur with sigma uniform in [0, ``blur``] times the smaller
       side; invalid pixels neither spread nor fill.
    5. noise: relative, independent per pixel, standard deviation ``noise``.
    6. holes: 0 to ``holes`` ellipses with half axes up to ``hole_size`` times
       the smaller side become invalid, as in sensor depth.

    The values are our choice. Current models report 4 to 10 % absolute
    relative error on indoor images they were not trained on, after a best
    affine per image; on crops of synthetic people the default gives about
    5 %, on the person's pixels as on all (:func:`relative_depth_error`,
    measured in the tests). At 3.5 m that is 18 cm, a good part of the depth
    of a body.

    Yang et al., "Depth Anything V2", NeurIPS 2024 (published errors).
    """

    disparity_shift: float = 0.03
    scale: float = 0.25
    shift: float = 0.1
    warp: float = 0.06
    warp_cells: int = 3
    blur: float = 0.006
    noise: float = 0.01
    holes: int = 2
    hole_size: float = 0.06

    def at_level(self, level: float) -> 'DepthDegradation':
        """Return these settings with every error ``level`` times as large."""
        if level < 0:
            raise ValueError(f'level must be >= 0, got {level}')
        return replace(
            self,
            scale=self.scale * level,
            shift=self.shift * level,
            disparity_shift=self.disparity_shift * level,
            warp=self.warp * level,
            blur=self.blur * level,
            noise=self.noise * level,
            hole_size=self.hole_size * level,
        )


def degrade_depth(
    depth: np.ndarray,
    rng: np.random.Generator,
    settings: DepthDegradation | None = None,
) -> np.ndarray:
    """Degrade one depth map.

    Args:
        depth: (H, W) metres; NaN, infinite and <= 0 are invalid.
        rng: source of all randomness; the same state gives the same bytes.
        settings: kinds and sizes of error. None: the defaults.

    Returns:
        (H, W) float32, NaN where invalid: where the input is, and in holes.

    Example:
        >>> depth = np.full((64, 64), 3., np.float32)
        >>> degrade_depth(depth, np.random.default_rng(0)).shape
        (64, 64)
    """
    settings = settings or DepthDegradation()
    valid = (depth > 0) & (depth < np.inf)
    if not valid.any():
        return np.full(depth.shape, np.nan, np.float32)
    shape = height, width = depth.shape
    side = min(shape)
    middle = _typical(depth, valid)
    z = depth.astype(np.float32)
    if not valid.all():
        np.copyto(z, middle, where=~valid)

    bend = rng.uniform(-1, 1) * settings.disparity_shift / middle
    stretch = (1 + settings.scale) ** rng.uniform(-1, 1)
    offset = rng.uniform(-1, 1) * settings.shift
    cells = rng.standard_normal(
        (settings.warp_cells + 1,) * 2, dtype=np.float32
    )
    sigma = rng.uniform(0, 1) * settings.blur * side
    holes = rng.uniform(0, 1, (settings.holes, 5))
    num_holes = rng.integers(settings.holes + 1)
    noise = np.frombuffer(rng.bytes(z.size), np.uint8).reshape(shape)

    # Room for one more map: finding it anew for every step takes longer than
    # the steps.
    room = np.empty_like(z)
    # A strong bend or offset must not carry valid depth through infinity.
    np.multiply(z, np.float32(bend / stretch), out=room)
    room += np.float32(1 / stretch)
    z /= _at_least(0.1 / stretch, room)
    z += np.float32(offset)
    z = _at_least(0.05, z)
    z *= _smooth_factor(cells, settings.warp, room)
    if sigma > 0.1:
        _blur_valid(z, valid, sigma, room)
    z *= _noise_factor(noise, settings.noise, room)

    lost = (~valid).astype(np.uint8)
    for x, y, a, b, angle in holes[:num_holes]:
        axes = (
            round(a * settings.hole_size * side),
            round(b * settings.hole_size * side),
        )
        if min(axes) > 0:
            cv2.ellipse(
                lost,
                (int(x * width), int(y * height)),
                axes,
                360 * angle,
                0,
                360,
                1,
                -1,
            )
    np.copyto(z, np.nan, where=lost > 0)
    return z


def _typical(depth: np.ndarray, valid: np.ndarray) -> float:
    """Upper median of the valid depth, on a grid of pixels if that has any."""
    step = max(1, min(depth.shape) // 64)
    part, known = depth[::step, ::step], valid[::step, ::step]
    values = part[known] if known.any() else depth[valid]
    half = values.size // 2
    return float(np.partition(values, half)[half])


def _at_least(least: float, values: np.ndarray) -> np.ndarray:
    """Raise the values below a bound, in place; mostly there is none."""
    if values.min() < least:
        np.maximum(values, np.float32(least), out=values)
    return values


def _noise_factor(
    levels: np.ndarray, deviation: float, out: np.ndarray
) -> np.ndarray:
    """Factors 1 + n (H, W) into ``out``, n normal, of 256 levels (H, W).

    A random byte per pixel chooses the level: ten times as fast as normal
    numbers, which would be most of the work on a map.
    """
    factors = np.maximum(1 + np.float32(deviation) * _NORMAL_LEVELS, 0.05)
    return cv2.LUT(levels, factors.astype(np.float32), out)


def _smooth_factor(
    cells: np.ndarray, deviation: float, out: np.ndarray
) -> np.ndarray:
    """Factors e^w (H, W) into ``out``, w a smooth field over cells (C, C).

    Cubic at eight points a cell or all but every fourth pixel, linear
    between: the field bends too little from one to the next to tell.
    """
    height, width = out.shape
    most = 8 * len(cells)
    coarse = (min(-(-width // 4), most), min(-(-height // 4), most))
    field = cv2.resize(cells, coarse, interpolation=cv2.INTER_CUBIC)
    factor = np.exp(np.float32(deviation) * field)
    return cv2.resize(
        factor, (width, height), out, interpolation=cv2.INTER_LINEAR
    )


def _blur_valid(
    z: np.ndarray, valid: np.ndarray, sigma: float, room: np.ndarray
) -> None:
    """Blur a map (H, W) in place, so that invalid pixels have no part in it.

    The kernel reaches three sigma far, with 99.7 % of the whole.
    """
    size = (2 * round(3 * sigma) + 1,) * 2
    if valid.all():
        cv2.GaussianBlur(z, size, sigma, z)
        return
    np.copyto(room, valid)
    z *= room
    cv2.GaussianBlur(z, size, sigma, z)
    cv2.GaussianBlur(room, size, sigma, room)
    # Nothing by nothing, far from valid pixels, is NaN and becomes so.
    cv2.divide(z, room, z)


def relative_depth_error(
    depth: np.ndarray, reference: np.ndarray, mask: np.ndarray | None = None
) -> float:
    r"""Mean absolute relative error after the best affine of the whole map.

    .. math:: \frac{1}{|M|} \sum_{p \in M} \frac{|a d_p + b - r_p|}{r_p},
              \qquad (a, b) = \arg\min \sum_p (a d_p + b - r_p)^2

    Args:
        depth: (H, W), any affine depth d; NaN is left out.
        reference: (H, W) true depth r, metres; NaN is left out.
        mask: pixels M that count; None: all. The affine is fitted on all.

    Returns:
        The error as a fraction; NaN when no pixel counts.
    """
    valid = np.isfinite(depth) & np.isfinite(reference) & (reference > 0)
    d, r = depth[valid].astype(np.float64), reference[valid].astype(float)
    if len(d) == 0:
        return float('nan')
    system = np.stack([d, np.ones_like(d)], 1)
    aligned = system @ np.linalg.lstsq(system, r, rcond=None)[0]
    counts = np.ones_like(valid) if mask is None else mask.astype(bool)
    counts = counts[valid]
    if not counts.any():
        return float('nan')
    return float((np.abs(aligned - r) / r)[counts].mean())
