"""Shade a mesh into an image with soft edges."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmd2a.geometry.rasterization import (
    Raster,
    interpolate,
    rasterize,
    vertex_normals,
)

SKIN = (0.66, 0.75, 0.87)  # the pale blue of body-mesh figures

# Towards the light: above, to the left and behind the camera.
_KEY_LIGHT = np.array([-0.45, -0.7, -0.55])
# Samples per pixel and axis.
_SUPERSAMPLE = 2


def render_mesh(
    vertices: ArrayLike,
    faces: ArrayLike,
    K: ArrayLike,
    size: tuple[int, int],
    color: tuple[float, float, float] = SKIN,
    vertex_colors: ArrayLike | None = None,
) -> NDArray[np.float32]:
    r"""Draw a shaded mesh over nothing.

    Each colour is scaled by :math:`a + d\,(1 + n \cdot l) / 2` (half Lambert,
    from the light l) and brightened at the rim by
    :math:`r\,(1 - n \cdot v)^3` (v towards the camera). Four samples per pixel
    make the outline soft.

    V: vertices, F: faces, H W: image.

    Args:
        vertices: (V, 3) OpenCV camera frame, metres.
        faces: (F, 3) vertex indices.
        K: (3, 3) intrinsics, pixels.
        size: (H, W).
        color: RGB in [0, 1] of the whole mesh.
        vertex_colors: (V, 3) RGB in [0, 1], instead of ``color``. Shaded more
            gently, so that the colours can be read against a colour bar.

    Returns:
        (H, W, 4) float32 RGBA in [0, 1], RGB already multiplied by alpha.

    Example:
        >>> K = np.array([[8., 0, 3.5], [0, 8, 3.5], [0, 0, 1]])
        >>> triangle = [[-2., -2, 2], [2, -2, 2], [-2, 2, 2]]
        >>> rgba = render_mesh(triangle, [[0, 1, 2]], K, (8, 8))
        >>> rgba[0, 0, 3], rgba[7, 7, 3]
        (np.float32(1.0), np.float32(0.0))
    """
    vertices = np.asarray(vertices, np.float32)
    faces = np.asarray(faces)
    height, width = size
    n = _SUPERSAMPLE
    shift = (n - 1) / 2
    finer = np.array([[n, 0, shift], [0, n, shift], [0, 0, 1]])
    raster = rasterize(
        vertices, faces, finer @ np.asarray(K), (n * height, n * width)
    )
    rgba = np.zeros((*raster.face.shape, 4), np.float32)
    seen = raster.face >= 0
    if vertex_colors is None:
        albedo = np.asarray(color, np.float32)
        strength = 1.0
    else:
        albedo = interpolate(raster, faces, vertex_colors)[seen]
        strength = 0.55
    light, rim = _lighting(raster, vertices, faces, seen)
    light = 1 - strength * (1 - light)
    rgba[seen, :3] = np.clip(
        albedo * light[:, None] + strength * rim[:, None], 0, 1
    )
    rgba[seen, 3] = 1
    return rgba.reshape(height, n, width, n, 4).mean((1, 3))


def paste(
    rgba: NDArray[np.floating], background: NDArray[np.uint8], alpha: float = 1
) -> NDArray[np.uint8]:
    """Lay a rendering over an image; where it is empty nothing changes.

    Args:
        rgba: (H, W, 4) from :func:`render_mesh`.
        background: (H, W, 3) uint8 RGB.
        alpha: opacity of the rendering, in [0, 1].

    Returns:
        (H, W, 3) uint8 RGB, a new image.
    """
    image = np.array(background)
    drawn = rgba[..., 3] > 0
    front = alpha * rgba[drawn]
    blend = 255 * front[:, :3] + (1 - front[:, 3:]) * image[drawn]
    image[drawn] = np.rint(blend).clip(0, 255).astype(np.uint8)
    return image


def _lighting(
    raster: Raster, vertices: NDArray, faces: NDArray, seen: NDArray
) -> tuple[NDArray, NDArray]:
    """Factor of the colour and brightness of the rim at the seen pixels."""
    normal = interpolate(raster, faces, vertex_normals(vertices, faces))[seen]
    view = -interpolate(raster, faces, vertices)[seen]
    normal = _unit(normal)
    facing = (normal * _unit(view)).sum(-1, keepdims=True)
    # A surface seen from behind is lit from the side that is seen.
    normal = np.where(facing < 0, -normal, normal)
    half_lambert = 0.5 + 0.5 * (normal @ _unit(_KEY_LIGHT))
    light = 0.22 + 0.88 * half_lambert**1.5
    return light, 0.22 * (1 - np.abs(facing[:, 0])) ** 3


def _unit(vectors: NDArray) -> NDArray:
    """Scale vectors (..., 3) to length 1."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)
