"""A z-buffer rasteriser on arrays: depth, face and barycentric images.

Every triangle becomes rows, every row a span of pixels, every span fragments;
a fragment survives where it is nearest. Each of these steps is one pass over
flat arrays, so the cost follows the number of pixels drawn, not the sizes of
bounding boxes, and a floor of two triangles is as cheap as a body of
thousands.

Camera frame: OpenCV (+x right, +y down, +z forward). Pixel centres lie at
integer coordinates. A pixel belongs to a triangle if its centre is inside, or
on a left or top edge (the half-open rule of graphics hardware): triangles that
share an edge leave no gap and draw no pixel twice.

V: vertices, F: faces, B: batch, C: channels, H W: image.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from mmd2a.geometry.fragments import barycentric, draw_nearest
from mmd2a.geometry.scan_conversion import (
    FloatArray,
    IntArray,
    cut_spans,
    project_triangles,
)


class Raster(NamedTuple):
    """What is seen at each pixel.

    Attributes:
        depth: (H, W) float32, metres along +z; ``inf`` where empty.
        face: (H, W) int32, index of the visible face; -1 where empty.
        barycentric: (H, W, 3) float32, perspective-correct weights of the
            face's three vertices; they sum to 1, or are 0 where empty.
    """

    depth: NDArray[np.float32]
    face: NDArray[np.int32]
    barycentric: NDArray[np.float32]


def rasterize(
    vertices: ArrayLike,
    faces: ArrayLike,
    K: ArrayLike,
    size: tuple[int, int],
    cull: bool = False,
    near: float = 0.05,
) -> Raster:
    """Draw a triangle mesh into a depth, a face and a barycentric image.

    Faces that cross the near plane are clipped, not dropped. Faces with a
    vertex that is not finite are not drawn. Where two faces are equally near,
    the lower index wins.

    Args:
        vertices: (V, 3) camera frame, metres.
        faces: (F, 3) vertex indices.
        K: (3, 3) intrinsics, pixels.
        size: (H, W).
        cull: leave out faces that turn their back (those whose corners run
            clockwise as seen by the camera).
        near: depth of the near plane, metres.

    Returns:
        The :class:`Raster` of size (H, W).

    Example:
        >>> K = np.array([[8., 0, 4], [0, 8, 4], [0, 0, 1]])
        >>> triangle = np.array([[-1., -1, 2], [1, -1, 2], [-1, 1, 2]])
        >>> raster = rasterize(triangle, [[0, 1, 2]], K, (8, 8))
        >>> raster.depth[0, :3], int((raster.face == 0).sum())
        (array([2., 2., 2.], dtype=float32), 36)

    Reference: J. Pineda, A parallel algorithm for polygon rasterization, 1988
    (the fill rule); M. Olano and T. Greer, Triangle scan conversion using 2D
    homogeneous coordinates, 1997 (the barycentric coordinates).
    """
    vertices, faces, K = _check_mesh(vertices, faces, K)
    height, width = size
    inverse_depth, winner, triangles = draw_nearest(
        vertices, faces, K, size, cull, near
    )
    pixel = np.flatnonzero(winner >= 0)
    triangle = winner[pixel]
    z = 1.0 / inverse_depth[pixel]

    depth = np.full(height * width, np.inf, np.float32)
    depth[pixel] = z
    face = np.full(height * width, -1, np.int32)
    face[pixel] = triangles.face[triangle]
    weights = np.zeros((height * width, 3), np.float32)
    weights[pixel] = barycentric(
        vertices, faces[triangles.face].T, K, triangle, pixel, z, width
    )
    return Raster(
        depth.reshape(height, width),
        face.reshape(height, width),
        weights.reshape(height, width, 3),
    )


def rasterize_faces(
    vertices: ArrayLike,
    faces: ArrayLike,
    K: ArrayLike,
    size: tuple[int, int],
    near: float = 0.05,
) -> tuple[FloatArray, IntArray]:
    """Draw a triangle mesh into an inverse depth and a face image.

    What :func:`rasterize` does without its costlier half, for whoever needs
    the barycentric coordinates of some pixels only.

    Args:
        vertices: (V, 3) camera frame, metres.
        faces: (F, 3) vertex indices.
        K: (3, 3) intrinsics, pixels.
        size: (H, W).
        near: depth of the near plane, metres.

    Returns:
        Inverse depth (H, W), 1 / metres, 0 where empty, and index of the
        visible face (H, W), -1 where empty.

    Example:
        >>> K = np.array([[8., 0, 4], [0, 8, 4], [0, 0, 1]])
        >>> triangle = np.array([[-1., -1, 2], [1, -1, 2], [-1, 1, 2]])
        >>> inverse, face = rasterize_faces(triangle, [[0, 1, 2]], K, (8, 8))
        >>> inverse[0, 0], int((face == 0).sum())
        (np.float64(0.5), 36)
    """
    vertices, faces, K = _check_mesh(vertices, faces, K)
    inverse_depth, face, triangles = draw_nearest(
        vertices, faces, K, size, False, near
    )
    pixel = np.flatnonzero(inverse_depth)
    face[pixel] = triangles.face.take(face.take(pixel))
    return inverse_depth.reshape(size), face.reshape(size)


def rasterize_depth(
    vertices: ArrayLike,
    faces: ArrayLike,
    K: ArrayLike,
    size: tuple[int, int],
    cull: bool = False,
    near: float = 0.05,
) -> NDArray[np.float32]:
    """Draw a triangle mesh into a depth image alone, as a shadow map needs.

    Args:
        vertices: (V, 3) camera frame, metres.
        faces: (F, 3) vertex indices.
        K: (3, 3) intrinsics, pixels.
        size: (H, W).
        cull: leave out faces that turn their back.
        near: depth of the near plane, metres.

    Returns:
        (H, W) float32, metres along +z; ``inf`` where empty. Equal to
        ``rasterize(...).depth``.

    Example:
        >>> K = np.array([[8., 0, 4], [0, 8, 4], [0, 0, 1]])
        >>> triangle = np.array([[-1., -1, 2], [1, -1, 2], [-1, 1, 2]])
        >>> rasterize_depth(triangle, [[0, 1, 2]], K, (8, 8))[0, 0]
        np.float32(2.0)
    """
    vertices, faces, K = _check_mesh(vertices, faces, K)
    inverse_depth = draw_nearest(vertices, faces, K, size, cull, near)[0]
    with np.errstate(divide='ignore'):
        return (1.0 / inverse_depth).astype(np.float32).reshape(size)


def rasterize_silhouette(
    vertices: Tensor,
    faces: ArrayLike | Tensor,
    K: ArrayLike | Tensor,
    size: tuple[int, int],
    near: float = 0.05,
) -> Tensor:
    """Draw the masks of a batch of meshes that share their faces.

    Args:
        vertices: (B, V, 3) camera frame, metres.
        faces: (F, 3) vertex indices.
        K: (3, 3) intrinsics shared by the batch, or (B, 3, 3); pixels.
        size: (H, W).
        near: depth of the near plane, metres.

    Returns:
        (B, H, W) bool on the device of ``vertices``: true where a mesh covers
        the pixel centre. No gradient.

    Example:
        >>> K = torch.tensor([[8., 0, 4], [0, 8, 4], [0, 0, 1]])
        >>> triangle = torch.tensor([[[-1., -1, 2], [1, -1, 2], [-1, 1, 2]]])
        >>> rasterize_silhouette(triangle, [[0, 1, 2]], K, (8, 8)).sum()
        tensor(36)
    """
    if vertices.ndim != 3 or vertices.shape[-1] != 3:
        raise ValueError(
            f'vertices must be (B, V, 3), not {tuple(vertices.shape)}'
        )
    height, width = size
    intrinsics = np.broadcast_to(
        np.asarray(torch.as_tensor(K).detach().cpu(), np.float64),
        (len(vertices), 3, 3),
    )
    faces = np.asarray(torch.as_tensor(faces).cpu())
    batch = vertices.detach().cpu().double().numpy()
    masks = np.zeros((len(batch), height, width), bool)
    for mask, mesh, K_mesh in zip(masks, batch, intrinsics):
        checked = _check_mesh(mesh, faces, K_mesh)
        triangles = project_triangles(*checked, size, False, near)
        spans = cut_spans(triangles, size)
        # A pixel is covered if more spans have begun than ended before it.
        first = spans.row * (width + 1) + spans.start
        count = np.bincount(first, minlength=height * (width + 1))
        count -= np.bincount(first + spans.length, minlength=len(count))
        count = np.cumsum(count.reshape(height, width + 1), axis=1)
        mask[:] = count[:, :width] > 0
    return torch.from_numpy(masks).to(vertices.device)


def interpolate(
    raster: Raster, faces: ArrayLike, attributes: ArrayLike
) -> NDArray[np.float32]:
    """Spread vertex attributes over the pixels of a raster.

    Args:
        raster: the result of :func:`rasterize` for the same faces.
        faces: (F, 3) vertex indices.
        attributes: (V, C) one row per vertex.

    Returns:
        (H, W, C) float32; zero where the raster is empty.
    """
    faces = np.asarray(faces)
    attributes = np.asarray(attributes, np.float32)
    height, width = raster.face.shape
    face = raster.face.ravel()
    pixel = np.flatnonzero(face >= 0)
    corner = faces.T[:, face[pixel]]
    weight = raster.barycentric.reshape(-1, 3)[pixel].T[..., None]
    value = attributes.take(corner[0], 0) * weight[0]
    value += attributes.take(corner[1], 0) * weight[1]
    value += attributes.take(corner[2], 0) * weight[2]
    image = np.zeros((height * width, attributes.shape[1]), np.float32)
    image[pixel] = value
    return image.reshape(height, width, -1)


def vertex_normals(
    vertices: ArrayLike, faces: ArrayLike
) -> NDArray[np.float32]:
    """Average the normals of the faces around each vertex, by their area.

    Args:
        vertices: (V, 3) any frame.
        faces: (F, 3) vertex indices.

    Returns:
        (V, 3) float32 unit vectors, on the side from which the corners run
        counter-clockwise; zero for a vertex that no face with an area uses.
    """
    vertices = np.asarray(vertices, np.float32)
    faces = np.asarray(faces, np.intp).reshape(-1, 3)
    x, y, z = vertices.T[:, faces.T]
    ax, ay, az = x[1] - x[0], y[1] - y[0], z[1] - z[0]
    bx, by, bz = x[2] - x[0], y[2] - y[0], z[2] - z[0]
    corner = faces.T.ravel()
    normals = np.stack(
        [
            np.bincount(corner, np.tile(n, 3), minlength=len(vertices))
            for n in (ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)
        ],
        axis=-1,
    )
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    return (normals / np.where(length > 0, length, 1)).astype(np.float32)


def _check_mesh(
    vertices: ArrayLike, faces: ArrayLike, K: ArrayLike
) -> tuple[FloatArray, IntArray, FloatArray]:
    """Bring a mesh and its camera to float64 and index arrays."""
    vertices = np.asarray(vertices, np.float64)
    faces = np.asarray(faces, np.intp)
    K = np.asarray(K, np.float64)
    if not faces.size:
        faces = faces.reshape(0, 3)
    for name, array in (('vertices', vertices), ('faces', faces)):
        if array.ndim != 2 or array.shape[-1] != 3:
            raise ValueError(f'{name} must be (N, 3), not {array.shape}')
    if K.shape != (3, 3):
        raise ValueError(f'K must be (3, 3), not {K.shape}')
    if len(faces) and not 0 <= faces.min() <= faces.max() < len(vertices):
        raise ValueError(
            f'faces refer to vertices {faces.min()} to {faces.max()}, but '
            f'there are {len(vertices)} vertices'
        )
    finite = np.isfinite(vertices)
    if not finite.all():
        # NaN fails every comparison, so it takes its faces with it; infinity
        # would project to a point.
        vertices = np.where(finite.all(1, keepdims=True), vertices, np.nan)
    return vertices, faces, K
