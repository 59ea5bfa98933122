"""Materials: a pattern and the colours to paint it in."""

from typing import NamedTuple

import numpy as np

from mmd2a.people.textures import NUM_PATTERNS, look_up

__all__ = [
    'Material',
    'Palette',
    'plain_material',
    'random_colour',
    'random_material',
]


class Material(NamedTuple):
    """How a surface looks; colours are linear RGB in 0..1.

    Attributes:
        pattern: index of the pattern.
        colours: (3, 3) ground, second and third colour.
        period: size of one repeat of the pattern, metres.
        angle: direction of the pattern, radians.
        shade, grain: strength of the pattern's shading and fine grain.
        gloss: strength of the highlight.
    """

    pattern: int
    colours: np.ndarray
    period: float = 1.0
    angle: float = 0.0
    shade: float = 0.6
    grain: float = 0.12
    gloss: float = 0.0


class Palette:
    """The materials of one image, as tables to index per pixel.

    N: pixels.
    """

    def __init__(self, materials: list[Material]) -> None:
        columns = list(zip(*materials))
        self.pattern = np.array(columns[0], np.int32)
        # (3, M) each: ground, from ground to second, third colour.
        ground, second, third = np.array(columns[1], np.float32).T.swapaxes(
            0, 1
        )
        self.ground, self.to_second, self.third = (
            np.ascontiguousarray(x) for x in (ground, second - ground, third)
        )
        period = np.array(columns[2], np.float32)
        angle = np.array(columns[3], np.float32)
        self.cos = np.cos(angle) / period
        self.sin = np.sin(angle) / period
        self.scale = 1 / period
        self.shade = np.array(columns[4], np.float32)
        self.grain = np.array(columns[5], np.float32)
        self.gloss = np.array(columns[6], np.float32)

    def albedo(
        self,
        index: np.ndarray,
        u: np.ndarray,
        v: np.ndarray,
        snapshot: np.ndarray,
    ) -> np.ndarray:
        """Colour of pixels.

        Args:
            index: (N,) material.
            u, v: (N,) surface coordinates, metres.
            snapshot: (N,) size of a pixel on the surface, metres.

        Returns:
            np.ndarray: (3, N) float32 linear RGB.
        """
        cos, sin = self.cos.take(index), self.sin.take(index)
        second, third, shade, grain = look_up(
            self.pattern.take(index),
            u * cos + v * sin,
            v * cos - u * sin,
            snapshot * self.scale.take(index),
        )
        shade = 1 - self.shade.take(index) * (1 - shade)
        shade += self.grain.take(index) * (grain - np.float32(0.5))
        # Both blends at once: c0 + s (c1 - c0), then towards c2 by t.
        colour = self.to_second.take(index, 1)
        colour *= second
        colour += self.ground.take(index, 1)
        colour *= 1 - third
        colour += self.third.take(index, 1) * third
        colour *= shade
        return colour


def random_colour(rng: np.random.Generator, vivid: float = 0.5) -> np.ndarray:
    """Linear RGB (3,): mostly muted, now and then strong.

    Args:
        rng: source of randomness.
        vivid: 0 gives greys, 1 often saturated colours.
    """
    hue = rng.random()
    saturation = rng.beta(1 + vivid, 2.2) * vivid * 1.3
    value = rng.uniform(0.06, 0.95)
    wheel = np.abs(np.mod(hue + np.array([0, 2 / 3, 1 / 3]), 1) * 6 - 3) - 1
    colour = value * (1 + min(saturation, 1) * (np.clip(wheel, 0, 1) - 1))
    return colour**2.2 * 0.9 + 0.015


def random_material(
    rng: np.random.Generator,
    period: tuple[float, float],
    vivid: float = 0.5,
    patterned: float = 0.6,
) -> Material:
    """Draw a material.

    Args:
        rng: source of randomness.
        period: least and largest size of a repeat, metres.
        vivid: strength of colours, see :func:`random_colour`.
        patterned: share of materials whose pattern is clearly seen.
    """
    ground = random_colour(rng, vivid)
    contrast = (
        rng.uniform(0.35, 1)
        if rng.random() < patterned
        else rng.uniform(0, 0.12)
    )
    others = np.stack([random_colour(rng, vivid) for _ in range(2)])
    colours = np.concatenate(
        [ground[None], ground + contrast * (others - ground)]
    )
    angle = rng.choice([0, np.pi / 2]) + (
        rng.normal() * 0.3 if rng.random() < 0.3 else 0
    )
    return Material(
        int(rng.integers(NUM_PATTERNS)),
        colours,
        float(np.exp(rng.uniform(*np.log(period)))),
        float(angle),
        rng.uniform(0.3, 0.8),
        rng.uniform(0.05, 0.25),
    )


def plain_material(
    rng: np.random.Generator,
    colour: np.ndarray,
    period: float = 0.3,
    variation: float = 0.1,
    grain: float = 0.06,
    gloss: float = 0.0,
) -> Material:
    """A nearly uniform material, for skin, hair and leather."""
    colours = np.stack(
        [colour, colour * (1 - variation), colour * (1 + variation)]
    )
    return Material(
        int(rng.integers(6)), colours, period, 0.0, 0.25, grain, gloss
    )
