"""Draw what is made of rectangles: floors, walls, boxes, tables, posters.

A ray meets the plane of a rectangle at one point, and where the ray's
direction is linear in the pixel, so are the terms of that point: an exact
z-buffer of a room costs a few array operations per rectangle.

R: rectangles, H W: image. OpenCV camera frame, metres.
"""

from typing import NamedTuple

import numpy as np

__all__ = ['Rectangles', 'Surface', 'box', 'draw_rectangles', 'join']

_NEAR = 0.05


class Rectangles(NamedTuple):
    """Rectangles ``corner + s * a + t * b`` with s, t in 0..1.

    Attributes:
        corner, a, b: (R, 3) corner and orthogonal edges, metres.
        material: (R,) index of the material.
        one_sided: (R,) whether only the side to which a x b points is drawn.
    """

    corner: np.ndarray
    a: np.ndarray
    b: np.ndarray
    material: np.ndarray
    one_sided: np.ndarray

    def moved(self, rotation: np.ndarray, shift: np.ndarray) -> 'Rectangles':
        """Apply ``x -> rotation @ x + shift``."""
        return self._replace(
            corner=self.corner @ rotation.T + shift,
            a=self.a @ rotation.T,
            b=self.b @ rotation.T,
        )


class Surface(NamedTuple):
    """What :func:`draw_rectangles` sees at each pixel.

    Attributes:
        depth: (H, W) float32 metres along +z; ``inf`` where empty.
        rectangle: (H, W) int32 index; -1 where empty.
        u, v: (H, W) float32 metres along a and b from the corner.
    """

    depth: np.ndarray
    rectangle: np.ndarray
    u: np.ndarray
    v: np.ndarray


def box(
    centre: np.ndarray, half: np.ndarray, yaw: float, material: int
) -> Rectangles:
    """The six sides of a box turned by ``yaw`` about the y axis.

    Args:
        centre: (3,) metres.
        half: (3,) half of its edges, metres.
        yaw: radians.
        material: index of the material.
    """
    cos, sin = np.cos(yaw), np.sin(yaw)
    axes = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
    axes *= np.asarray(half)[:, None]
    corner, a, b = [], [], []
    for i in range(3):
        for sign in (1, -1):
            first, second = axes[(i + 1) % 3], axes[(i + 2) % 3]
            if sign < 0:
                first, second = second, first
            corner.append(centre + sign * axes[i] - first - second)
            a.append(2 * first)
            b.append(2 * second)
    return Rectangles(
        np.array(corner),
        np.array(a),
        np.array(b),
        np.full(6, material),
        np.ones(6, bool),
    )


def join(parts: list[Rectangles]) -> Rectangles:
    """Put groups of rectangles into one."""
    return Rectangles(*(np.concatenate(field) for field in zip(*parts)))


def draw_rectangles(
    rectangles: Rectangles, K: np.ndarray, size: tuple[int, int]
) -> Surface:
    """Draw rectangles (camera frame) into depth, index and coordinates.

    Args:
        rectangles: the R rectangles.
        K: (3, 3) pixels.
        size: (H, W).

    Example:
        >>> wall = Rectangles(*np.array([[[-1., -1, 2]], [[2, 0, 0]],
        ...                              [[0, 2, 0]]]), [0], [False])
        >>> K = np.array([[8., 0, 4], [0, 8, 4], [0, 0, 1]])
        >>> draw_rectangles(wall, K, (8, 8)).depth[4, 4]
        np.float32(2.0)
    """
    height, width = size
    depth = np.full(size, np.inf, np.float32)
    index = np.full(size, -1, np.int32)
    s_image, t_image = np.zeros((2, height, width), np.float32)
    x = ((np.arange(width) - K[0, 2]) / K[0, 0]).astype(np.float32)
    y = ((np.arange(height) - K[1, 2]) / K[1, 1]).astype(np.float32)[:, None]

    corner, a, b = rectangles[:3]
    normal = np.cross(a, b)
    length_a, length_b = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    unit_a, unit_b = a / length_a[:, None], b / length_b[:, None]
    facing = (normal * corner).sum(1)
    # The plane is met at z = 1 / (inverse . ray), the coordinates there are
    # z * (unit . ray) - start.
    inverse = normal / np.where(facing == 0, 1e-12, facing)[:, None]
    start_a, start_b = (unit_a * corner).sum(1), (unit_b * corner).sum(1)
    windows = _windows(rectangles, K, size)
    vectors = np.stack([inverse, unit_a, unit_b], 1).astype(np.float32)
    scalars = np.stack([start_a, start_b, length_a, length_b], 1).astype(
        np.float32
    )
    hidden = rectangles.one_sided & (facing >= 0)
    for i in np.flatnonzero(
        ~hidden
        & (windows[:, 0] < windows[:, 2])
        & (windows[:, 1] < windows[:, 3])
    ):
        left, top, right, bottom = windows[i]
        window = slice(top, bottom), slice(left, right)
        columns, rows = x[left:right], y[top:bottom]
        closeness, along_a, along_b = (
            vector[0] * columns + (vector[1] * rows + vector[2])
            for vector in vectors[i]
        )
        from_a, from_b, to_a, to_b = scalars[i]
        np.maximum(closeness, np.float32(1e-6), out=closeness)
        z = 1 / closeness
        s, t = z * along_a - from_a, z * along_b - from_b
        seen = (z > _NEAR) & (z < depth[window])
        seen &= (s >= 0) & (s <= to_a) & (t >= 0) & (t <= to_b)
        for image, value in (
            (depth, z),
            (index, i),
            (s_image, s),
            (t_image, t),
        ):
            np.copyto(image[window], value, where=seen)
    return Surface(depth, index, s_image, t_image)


def _windows(
    rectangles: Rectangles, K: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Pixels that each rectangle may cover: (R, 4) left, top, right, bottom.

    Right and bottom are exclusive. A rectangle that reaches behind the near
    plane may cover all; one that lies behind it has an empty window.
    """
    corner, a, b = rectangles[:3]
    corners = np.stack([corner, corner + a, corner + b, corner + a + b], 1)
    in_front = corners[..., 2] >= _NEAR
    z = np.maximum(corners[..., 2], _NEAR)[..., None]
    pixel = corners[..., :2] / z * [K[0, 0], K[1, 1]] + K[:2, 2]
    limit = np.array(size[::-1])
    low = np.clip(np.floor(pixel.min(1)), 0, limit)
    high = np.clip(np.ceil(pixel.max(1)) + 1, 0, limit)
    low[~in_front.all(1)], high[~in_front.all(1)] = 0, limit
    high[~in_front.any(1)] = 0
    return np.concatenate([low, high], 1).astype(np.int64)
