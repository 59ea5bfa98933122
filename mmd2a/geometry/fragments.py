"""Fragments to what is seen: the second half of a rasteriser.

Spans become fragments, each with the inverse depth of its triangle; at every
pixel the nearest survives, and its barycentric coordinates are found.

V: vertices, F: faces, T: triangles kept, P: pixels, H W: image.
"""

import numpy as np

from mmd2a.geometry.scan_conversion import (
    FloatArray,
    IntArray,
    Triangles,
    cut_spans,
    project_triangles,
)

# Pixels whose barycentric coordinates are found at a time.
_PIECE = 8192
# Fragments tested at a time, about.
_FRAGMENTS = 32768


def draw_nearest(
    vertices: FloatArray,
    faces: IntArray,
    K: FloatArray,
    size: tuple[int, int],
    cull: bool,
    near: float,
) -> tuple[FloatArray, IntArray, Triangles]:
    """Find the nearest triangle and its 1/z at every pixel, flat (H * W,)."""
    height, width = size
    nearest = np.zeros(height * width)
    winner = np.full(height * width, -1, np.int32)
    triangles = project_triangles(vertices, faces, K, size, cull, near)
    spans = cut_spans(triangles, size)
    if not len(spans.row):
        return nearest, winner, triangles

    # 1/z is linear over the image, so along a span it is c + slope * pixel.
    slope, slope_y, offset = _inverse_depth_plane(triangles)
    slope = slope[spans.triangle]
    first: np.ndarray = spans.row * width
    offset = offset[spans.triangle] + slope_y[spans.triangle] * spans.row
    offset -= slope * first
    first += spans.start

    # Piece by piece, so that the fragments stay in the cache.
    end = np.cumsum(spans.length)
    first += spans.length
    first -= end
    inner = np.searchsorted(end, np.arange(_FRAGMENTS, end[-1], _FRAGMENTS))
    cuts = [0, *np.unique(inner[inner > 0]).tolist(), len(end)]
    for start, stop in zip(cuts[:-1], cuts[1:]):
        piece = slice(start, stop)
        span = np.repeat(np.arange(start, stop), spans.length[piece])
        fragments = np.arange(end[stop - 1] - len(span), end[stop - 1])
        pixel = first.take(span) + fragments
        inverse_depth = offset.take(span) + slope.take(span) * pixel
        before = nearest.take(pixel)
        np.maximum.at(nearest, pixel, inverse_depth)
        # Of equals, the lowest face stays: the earliest piece's, and within a
        # piece, as the last written stays, backwards.
        seen = inverse_depth == nearest.take(pixel)
        seen &= inverse_depth > before
        seen = np.flatnonzero(seen)[::-1]
        winner[pixel.take(seen)] = spans.triangle.take(span.take(seen))
    return nearest, winner, triangles


def _inverse_depth_plane(
    triangles: Triangles,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Write 1/z = p x + q y + r over each projected triangle."""
    x0, x1, x2, y0, y1, y2 = triangles.points
    z0, z1, z2 = triangles.inverse_depth
    z1, z2 = z1 - z0, z2 - z0
    p = (z1 * (y2 - y0) - z2 * (y1 - y0)) / triangles.area
    q = (z2 * (x1 - x0) - z1 * (x2 - x0)) / triangles.area
    return p, q, z0 - p * x0 - q * y0


def barycentric(
    vertices: FloatArray,
    corner: IntArray,
    K: FloatArray,
    triangle: IntArray,
    pixel: IntArray,
    depth: FloatArray,
    width: int,
) -> FloatArray:
    r"""Find where the ray of each pixel meets its face, clipped or not.

    .. math:: b_1 = z \, \frac{v_2 \times v_0}{\det(v_0, v_1, v_2)}
              \cdot K^{-1} (x, y, 1)^T

    and in turn for :math:`b_2`; :math:`b_0` is what is left of 1.

    Returns:
        (P, 3) for P pixels.
    """
    v0, v1, v2 = vertices.T.take(corner, 1).transpose(1, 0, 2)
    normal = np.stack([_cross(v2, v0), _cross(v0, v1)], 1)
    with np.errstate(divide='ignore', invalid='ignore'):
        normal /= np.einsum('ij,ij->j', v1, normal[:, 0])
    plane = np.einsum('ij,ikt->kjt', np.linalg.inv(K), normal)
    weight = np.empty((len(pixel), 3), np.float32)
    # Piece by piece, so that what is in between stays in the cache.
    for start in range(0, len(pixel), _PIECE):
        piece = slice(start, start + _PIECE)
        y, x = np.divmod(pixel[piece], width)
        z, at = depth[piece], triangle[piece]
        b1, b2 = (
            (a.take(at) * x + b.take(at) * y + c.take(at)) * z
            for a, b, c in plane
        )
        # Rounding may leave the triangle, by a hair or where it is edge-on.
        b1 = b1.clip(0, 1)
        b2 = np.minimum(b2.clip(0), 1 - b1)
        weight[piece, 0] = 1 - b1 - b2
        weight[piece, 1] = b1
        weight[piece, 2] = b2
    return weight


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """Take the cross products of columns (3, T); ``np.cross`` is slower."""
    ax, ay, az = a
    bx, by, bz = b
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])
