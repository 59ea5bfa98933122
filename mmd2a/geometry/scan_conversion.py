"""Triangles to runs of pixels: the first half of a rasteriser.

A mesh is clipped at the near plane, projected, and cut into spans, all on flat
arrays. A pixel belongs to a triangle if its centre is inside, or on a left or
top edge.

V: vertices, F: faces, T: triangles kept, S: spans, H W: image.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.integer]

# Projected triangles thinner than this (px^2) have no usable plane equation.
_MIN_AREA = 1e-9


class Triangles(NamedTuple):
    """Projected triangles that can touch a pixel, in order of their face."""

    face: IntArray  # (T,) index into the caller's faces
    points: FloatArray  # (6, T) x0 x1 x2 y0 y1 y2, pixels
    inverse_depth: FloatArray  # (3, T) 1/z of the corners
    area: FloatArray  # (T,) twice the signed area, pixels^2


class Spans(NamedTuple):
    """Runs of pixels, in order of their triangle; none is empty."""

    triangle: IntArray  # (S,) index into the triangles
    row: IntArray  # (S,) y
    start: IntArray  # (S,) first x
    length: IntArray  # (S,) number of pixels


def project_triangles(
    vertices: FloatArray,
    faces: IntArray,
    K: FloatArray,
    size: tuple[int, int],
    cull: bool,
    near: float,
) -> Triangles:
    """Project the faces and keep those that may cover a pixel centre."""
    height, width = size
    face: IntArray = np.arange(len(faces))
    corner = np.ascontiguousarray(faces.T)
    if not (vertices[:, 2] >= near).all():
        vertices, corner, face = _clip(vertices, corner, near)
    inverse_depth = 1.0 / vertices[:, 2]
    with np.errstate(invalid='ignore'):
        x, y = K[:2] @ (vertices.T * inverse_depth)
    x0, x1, x2 = x.take(corner)
    y0, y1, y2 = y.take(corner)
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)

    # Comparisons with NaN are false: faces that are not finite end here.
    left = np.ceil(np.minimum(np.minimum(x0, x1), x2))
    right = np.ceil(np.maximum(np.maximum(x0, x1), x2))
    top = np.ceil(np.minimum(np.minimum(y0, y1), y2))
    bottom = np.ceil(np.maximum(np.maximum(y0, y1), y2))
    keep = -area > _MIN_AREA if cull else np.abs(area) > _MIN_AREA
    keep &= (left < right) & (left < width) & (right > 0)
    keep &= (top < bottom) & (top < height) & (bottom > 0)
    keep = np.flatnonzero(keep)
    points = np.stack([x0, x1, x2, y0, y1, y2]).take(keep, 1)
    return Triangles(
        face[keep],
        points,
        inverse_depth.take(corner.take(keep, 1)),
        area[keep],
    )


def _clip(
    vertices: FloatArray, corner: IntArray, near: float
) -> tuple[FloatArray, IntArray, IntArray]:
    """Cut faces at the near plane.

    Args:
        vertices: (V, 3) some of them nearer than ``near``.
        corner: (3, F) vertex indices.
        near: depth of the near plane, metres.

    Returns:
        Vertices (the old ones, then those on the plane), corners, and the
        index (ascending) of the face from which each triple of corners comes.
    """
    in_front = vertices[:, 2] >= near
    seen = in_front.take(corner)
    count = seen.view(np.int8)
    count = count[0] + count[1] + count[2]
    whole = np.flatnonzero(count == 3)
    pieces, owners, points = [corner.take(whole, 1)], [whole], [vertices]
    # Hidden vertices are in no face from here on; any depth keeps 1/z quiet.
    vertices = vertices.copy()
    vertices[~in_front, 2] = near
    num_vertices = len(vertices)
    for num_seen in (1, 2):
        owner = np.flatnonzero(count == num_seen)
        # Turn each face so that its odd corner out is a.
        odd = (seen[:, owner] == (num_seen == 1)).argmax(0)
        turn = (odd + np.arange(3)[:, None]) % 3
        a, b, c = np.take_along_axis(corner[:, owner], turn, 0)
        for other in (b, c):
            # Always from the hidden end, so that neighbours cut alike.
            start, end = (other, a) if num_seen == 1 else (a, other)
            start, end = points[0][start], points[0][end]
            share = (near - start[:, 2]) / (end[:, 2] - start[:, 2])
            cut = start + (end - start) * share[:, None]
            cut[np.isfinite(cut[:, 2]), 2] = near
            points.append(cut)
        ab, ac = num_vertices + np.arange(2 * len(owner)).reshape(2, -1)
        num_vertices += 2 * len(owner)
        if num_seen == 1:
            pieces.append(np.stack([a, ab, ac]))
            owners.append(owner)
        else:
            pieces += [np.stack([ab, b, c]), np.stack([ab, c, ac])]
            owners += [owner, owner]
    points[0] = vertices
    if num_vertices == len(vertices):
        return vertices, pieces[0], whole
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind='stable')
    corner = np.concatenate(pieces, 1).take(order, 1)
    return np.concatenate(points), corner, owner[order]


def cut_spans(triangles: Triangles, size: tuple[int, int]) -> Spans:
    """Cut triangles into runs of pixels between their two sides."""
    height, width = size
    points = triangles.points
    num = points.shape[1]
    # Corners from top to bottom: an edge is then written the same way in both
    # faces that share it, and both round it alike.
    xa, xb, xc, ya, yb, yc = points
    for _ in range(2):
        xa, xb, ya, yb = _order(xa, xb, ya, yb)
        xb, xc, yb, yc = _order(xb, xc, yb, yc)
    top = np.maximum(np.ceil(ya), 0).astype(np.intp)
    bottom = np.minimum(np.ceil(yc), height).astype(np.intp)

    count = bottom - top
    end = np.cumsum(count)
    triangle = np.repeat(np.arange(num), count)
    row = np.arange(len(triangle)) + (top - end + count)[triangle]

    # x = intercept + slope * y along: the long side a-c, then a-b, then b-c.
    with np.errstate(divide='ignore', invalid='ignore'):
        x = np.concatenate([xa, xa, xb])
        y = np.concatenate([ya, ya, yb])
        slope = np.concatenate([xc, xb, xc]) - x
        slope /= np.concatenate([yc, yb, yc]) - y
        intercept = x - slope * y
    long = intercept[triangle] + slope[triangle] * row
    bent = triangle + np.where(row < yb[triangle], num, 2 * num)
    bent = intercept[bent] + slope[bent] * row
    bends_right = (xb - xa) * (yc - ya) > (xc - xa) * (yb - ya)
    bends_right = bends_right[triangle]
    left = np.ceil(np.where(bends_right, long, bent))
    right = np.ceil(np.where(bends_right, bent, long))
    start = np.maximum(left, 0)
    length = np.minimum(right, width) - start
    full = np.flatnonzero(length > 0)
    return Spans(
        triangle[full],
        row[full],
        start[full].astype(np.intp),
        length[full].astype(np.intp),
    )


def _order(
    xa: FloatArray, xb: FloatArray, ya: FloatArray, yb: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Swap points a and b where a is below b; returns xa, xb, ya, yb."""
    swap = ya > yb
    return (
        np.where(swap, xb, xa),
        np.where(swap, xa, xb),
        np.minimum(ya, yb),
        np.maximum(ya, yb),
    )
