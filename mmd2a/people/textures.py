"""Patterns for cloth, walls and floors: a bank of small tiling images.

A texel holds four numbers in 0..1, packed into one 32-bit word so that a
million look-ups are one gather: how much of a second and of a third colour,
the shade, and fine grain. The colours come from the material, so few patterns
make endless textures. Every pattern is stored at halved sizes too (mip
levels): what is far away is smooth instead of noisy.
"""

from functools import lru_cache

import cv2
import numpy as np

__all__ = [
    'LEAVES',
    'NUM_PATTERNS',
    'PATTERN_SIZE',
    'gaussian_noise',
    'look_up',
]

#: Texels along a side of a pattern at its finest level.
PATTERN_SIZE = 128
_LEVELS = 6
_KINDS = (
    'cloudy',
    'stripes',
    'checks',
    'dots',
    'bricks',
    'planks',
    'marble',
    'camouflage',
    'plaid',
    'plain',
    'grass',
    'zigzag',
)
_PER_KIND = 6
NUM_PATTERNS = len(_KINDS) * _PER_KIND
#: Patterns behind those: shapes of all sizes, one over the other.
LEAVES = range(NUM_PATTERNS, NUM_PATTERNS + 12)
_SEED = 20240501


def look_up(
    pattern: np.ndarray, u: np.ndarray, v: np.ndarray, snapshot: np.ndarray
) -> np.ndarray:
    """Read texels.

    N: pixels.

    Args:
        pattern: (N,) index of the pattern.
        u, v: (N,) texture coordinates; a pattern repeats after 1.
        snapshot: (N,) size of a pixel in texture coordinates.

    Returns:
        np.ndarray: (4, N) float32 in 0..1: second colour, third colour,
        shade, grain.
    """
    bank, starts = _bank()
    level = np.clip(
        np.log2(np.maximum(snapshot, 1e-6) * PATTERN_SIZE) + 0.3,
        0,
        _LEVELS - 1,
    ).astype(np.int32)
    side = PATTERN_SIZE >> level
    column = ((u - np.floor(u)) * side).astype(np.int32) & (side - 1)
    row = ((v - np.floor(v)) * side).astype(np.int32) & (side - 1)
    texel = starts.take(level) + (pattern * side + row) * side + column
    packed = bank.take(texel)
    texels = packed.view(np.uint8).reshape(-1, 4).T.astype(np.float32, 'C')
    texels *= np.float32(1 / 255)
    return texels


@lru_cache(maxsize=1)
def gaussian_noise() -> np.ndarray:
    """Standard normal noise (512, 512, 3) to cut sensor noise from."""
    rng = np.random.default_rng(_SEED + 1)
    return rng.standard_normal((512, 512, 3), np.float32)


@lru_cache(maxsize=1)
def _bank() -> tuple[np.ndarray, np.ndarray]:
    """All texels, level after level (words), and where each level starts."""
    rng = np.random.default_rng(_SEED)
    patterns = np.stack(
        [_pattern(rng, kind) for kind in _KINDS for _ in range(_PER_KIND)]
        + [_leaves(i) for i in LEAVES]
    )
    levels, starts, start = [], [], 0
    for _ in range(_LEVELS):
        words = np.ascontiguousarray((patterns * 255 + 0.5).astype(np.uint8))
        levels.append(words.view(np.uint32).ravel())
        starts.append(start)
        start += levels[-1].size
        n, side = patterns.shape[:2]
        patterns = patterns.reshape(n, side // 2, 2, side // 2, 2, 4)
        patterns = patterns.mean((2, 4))
    return np.concatenate(levels), np.array(starts)


def _cloud(
    rng: np.random.Generator,
    octaves: int = 5,
    first: int = 3,
    stretch: int = 1,
) -> np.ndarray:
    """Tiling fractal noise in 0..1."""
    total = np.zeros((PATTERN_SIZE, PATTERN_SIZE), np.float32)
    for octave in range(octaves):
        n = first * 2**octave
        grid = rng.standard_normal((n, max(n // stretch, 1)), np.float32)
        # Wrap before enlarging, so that opposite borders meet.
        wrapped = np.pad(grid, 2, mode='wrap')
        scale = PATTERN_SIZE / np.array(grid.shape)
        x = (np.arange(PATTERN_SIZE) + 0.5) / scale[1] + 1.5
        y = (np.arange(PATTERN_SIZE) + 0.5) / scale[0] + 1.5
        columns, rows = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        total += 0.58**octave * cv2.remap(
            wrapped, columns, rows, cv2.INTER_CUBIC
        )
    low, high = np.percentile(total, (1, 99))
    return np.clip((total - low) / (high - low), 0, 1)


def _pattern(rng: np.random.Generator, kind: str) -> np.ndarray:
    """One pattern (PATTERN_SIZE, PATTERN_SIZE, 4) in 0..1."""
    v, u = np.mgrid[:PATTERN_SIZE, :PATTERN_SIZE] / PATTERN_SIZE
    cloud, other = _cloud(rng), _cloud(rng, first=5)
    n, m = rng.integers(2, 9), rng.integers(2, 7)
    second, third = np.zeros_like(cloud), np.zeros_like(cloud)
    shade = 0.82 + 0.18 * cloud

    def wave(x: np.ndarray, duty: float = 0.5) -> np.ndarray:
        return (np.mod(x, 1) < duty).astype(np.float32)

    if kind == 'cloudy':
        second, third = cloud, np.clip(3 * other - 2, 0, 1)
    elif kind == 'stripes':
        second = wave(v * n, rng.uniform(0.2, 0.7))
        third = wave(v * n + 0.1, 0.12) * rng.integers(2)
    elif kind == 'checks':
        second = np.abs(wave(u * n) - wave(v * n))
    elif kind == 'dots':
        du, dv = np.mod(u * n, 1) - 0.5, np.mod(v * n, 1) - 0.5
        second = (du**2 + dv**2 < rng.uniform(0.03, 0.14)).astype(np.float32)
    elif kind == 'bricks':
        row = np.floor(v * 2 * n)
        joint = np.maximum(
            wave(v * 2 * n, 0.12), wave(u * n + 0.5 * np.mod(row, 2), 0.07)
        )
        brick = rng.random((2 * n, n + 1))
        second = joint
        third = (
            (1 - joint)
            * 0.7
            * brick[
                row.astype(int),
                np.floor(u * n + 0.5 * np.mod(row, 2)).astype(int),
            ]
        )
    elif kind == 'planks':
        board = np.floor(v * m)
        tone = rng.random(m)[board.astype(int)]
        grain = _cloud(rng, first=8, stretch=6).T
        second = 0.5 * tone + 0.5 * grain
        third = wave(v * m, 0.04)
        shade = 0.75 + 0.25 * grain
    elif kind == 'marble':
        second = np.abs(np.sin(2 * np.pi * (m * u + 1.5 * cloud))) ** 0.6
        third = np.clip(1 - 8 * np.abs(other - 0.5), 0, 1)
    elif kind == 'camouflage':
        second = (cloud > 0.55).astype(np.float32)
        third = (other > 0.62).astype(np.float32) * (1 - second)
    elif kind == 'plaid':
        second = 0.5 * wave(u * n, 0.4) + 0.5 * wave(v * n, 0.4)
        third = np.maximum(wave(u * n + 0.2, 0.08), wave(v * n + 0.2, 0.08))
    elif kind == 'grass':
        second = _cloud(rng, octaves=3, first=24, stretch=1)
        third = np.clip(2 * cloud - 1, 0, 1)
    elif kind == 'zigzag':
        second = wave(v * n + np.abs(np.mod(u * 2 * n, 2) - 1) * 0.5)
    grain = rng.random(cloud.shape)
    stack = np.stack([second, third, shade, grain], -1)
    return np.clip(stack, 0, 1).astype(np.float32)


def _leaves(seed: int) -> np.ndarray:
    """Dead leaves (PATTERN_SIZE, PATTERN_SIZE, 4) in 0..1.

    Shapes whose sizes follow a power law, thrown one over the other: edges,
    flat parts and a spectrum like those of photos.

    Lee, Mumford and Huang, "Occlusion Models for Natural Images", IJCV 2001.
    """
    rng = np.random.default_rng([_SEED, seed])
    size = PATTERN_SIZE
    # What reaches over one side comes in again at the opposite one.
    canvas = np.zeros((size, size, 3), np.float32)
    for radius in _leaf_sizes(rng):
        value = rng.beta(0.6, 0.6, 3).tolist()
        value[2] = 0.55 + 0.45 * value[2]
        axes = radius * rng.uniform(0.3, 1, 2)
        turn = float(rng.choice([0, 90, rng.uniform(0, 180)]))
        centre = rng.uniform(0, size, 2)
        round_one = rng.random() < 0.35
        for shift_x in (-size, 0, size):
            for shift_y in (-size, 0, size):
                at = centre + [shift_x, shift_y]
                if (at < -radius * 1.5).any() or (
                    at > size + radius * 1.5
                ).any():
                    continue
                outline = (at.tolist(), (2 * axes).tolist(), turn)
                if round_one:
                    cv2.ellipse(canvas, outline, value, -1)
                else:
                    corners = np.round(cv2.boxPoints(outline))
                    cv2.fillConvexPoly(canvas, corners.astype(np.int32), value)
    grain = rng.random((size, size, 1))
    return np.concatenate([canvas, grain], -1).astype(np.float32)


def _leaf_sizes(rng: np.random.Generator, number: int = 350) -> np.ndarray:
    """Radii with density r^-3 in texels; the background first of all."""
    least, largest = rng.uniform(2, 5), 40.0
    u = rng.random(number)
    radii = (least**-2 - u * (least**-2 - largest**-2)) ** -0.5
    return np.concatenate([np.full(24, largest), radii])
