"""Pictures of one person: mesh on the image, from the side, its silhouette.

Images are uint8 RGB, (H, W, 3), and are never changed in place.
"""

import cv2
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mmd2a.geometry.cameras import weak_perspective_to_translation
from mmd2a.visualization.rendering import (
    SKIN,
    paste,
    paste_window,
    render_mesh,
    render_window,
)

SILHOUETTE = (0.95, 0.45, 0.25)

# HMR's focal length, 5000 px for a crop of 224: long enough that perspective
# and the weak perspective that the model learnt agree.
_FOCAL_PER_SIDE = 5000 / 224


def mesh_overlay(
    image: NDArray[np.uint8],
    vertices: ArrayLike,
    faces: ArrayLike,
    K: ArrayLike,
    color: tuple[float, float, float] = SKIN,
    alpha: float = 0.92,
    vertex_colors: ArrayLike | None = None,
) -> NDArray[np.uint8]:
    """Draw a shaded mesh on an image.

    V: vertices, F: faces, H W: image.

    Args:
        image: (H, W, 3) uint8 RGB.
        vertices: (V, 3) OpenCV camera frame, metres.
        faces: (F, 3) vertex indices.
        K: (3, 3) intrinsics of the image, pixels.
        color: RGB in [0, 1] of the whole mesh.
        alpha: opacity of the mesh, in [0, 1].
        vertex_colors: (V, 3) RGB in [0, 1], instead of ``color``.

    Returns:
        (H, W, 3) uint8 RGB. Pixels that the mesh does not touch are equal to
        those of ``image``.

    Example:
        >>> K = np.array([[8., 0, 3.5], [0, 8, 3.5], [0, 0, 1]])
        >>> triangle = [[-2., -2, 2], [2, -2, 2], [-2, 2, 2]]
        >>> image = np.zeros((8, 8, 3), np.uint8)
        >>> drawn = mesh_overlay(image, triangle, [[0, 1, 2]], K)
        >>> drawn[0, 0].any(), drawn[7, 7].any()
        (np.True_, np.False_)
    """
    _check_image(image)
    height, width = image.shape[:2]
    window, rgba = render_window(
        vertices, faces, K, (height, width), color, vertex_colors
    )
    return paste_window(rgba, window, image, alpha)


def crop_overlay(
    image: NDArray[np.uint8],
    vertices: ArrayLike,
    faces: ArrayLike,
    camera: ArrayLike,
    color: tuple[float, float, float] = SKIN,
    alpha: float = 0.92,
    vertex_colors: ArrayLike | None = None,
) -> NDArray[np.uint8]:
    """Draw a mesh where a weak-perspective camera puts it in a square crop.

    Args:
        image: (W, W, 3) uint8 RGB, the crop.
        vertices: (V, 3) camera axes, relative to the root, metres.
        faces: (F, 3) vertex indices.
        camera: (3,) weak perspective (s, tx, ty).
        color: RGB in [0, 1] of the whole mesh.
        alpha: opacity of the mesh, in [0, 1].
        vertex_colors: (V, 3) RGB in [0, 1], instead of ``color``.

    Returns:
        (W, W, 3) uint8 RGB.
    """
    _check_image(image)
    height, width = image.shape[:2]
    focal = _FOCAL_PER_SIDE * width
    translation = weak_perspective_to_translation(
        torch.as_tensor(np.asarray(camera, np.float64)), focal, (width, height)
    )
    K = _centred_intrinsics(focal, (height, width))
    return mesh_overlay(
        image,
        np.asarray(vertices, np.float64) + translation.numpy(),
        faces,
        K,
        color,
        alpha,
        vertex_colors,
    )


def side_view(
    vertices: ArrayLike,
    faces: ArrayLike,
    size: tuple[int, int],
    angle: float = np.pi / 2,
    color: tuple[float, float, float] = SKIN,
    vertex_colors: ArrayLike | None = None,
) -> NDArray[np.uint8]:
    """Draw a mesh alone, walked around, filling a white image.

    Args:
        vertices: (V, 3) camera axes, any origin, metres.
        faces: (F, 3) vertex indices.
        size: (H, W).
        angle: how far the camera walks around the body, to the right of the
            image, radians. 0 looks along the camera's own axis.
        color: RGB in [0, 1] of the whole mesh.
        vertex_colors: (V, 3) RGB in [0, 1], instead of ``color``.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, width = size
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    white = np.full((height, width, 3), 255, np.uint8)
    turned = np.asarray(vertices, np.float64) @ turn.T
    finite = turned[np.isfinite(turned).all(1)]
    if not len(finite):
        return white
    lower, upper = finite.min(0), finite.max(0)
    extent = np.maximum(upper - lower, 1e-6)
    scale = 0.9 * min(width / extent[0], height / extent[1])
    # From so far away that near and far parts have the same scale.
    distance = 20 * extent.max()
    centred = turned - (lower + upper) / 2 + [0, 0, distance]
    K = _centred_intrinsics(scale * distance, size)
    rgba = render_mesh(centred, faces, K, size, color, vertex_colors)
    return paste(rgba, white)


def mask_overlay(
    image: NDArray[np.uint8],
    mask: ArrayLike,
    color: tuple[float, float, float] = SILHOUETTE,
    alpha: float = 0.55,
    threshold: float = 0.5,
) -> NDArray[np.uint8]:
    """Tint the person of a mask and draw its outline.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (h, w) probability or 0/1; resized to the image if smaller.
        color: RGB in [0, 1].
        alpha: opacity of the tint, in [0, 1].
        threshold: probability from which a pixel is person.

    Returns:
        (H, W, 3) uint8 RGB. Pixels outside mask and outline are equal to
        those of ``image``.
    """
    _check_image(image)
    height, width = image.shape[:2]
    mask = np.asarray(mask, np.float32)
    if mask.shape != (height, width):
        mask = cv2.resize(mask, (width, height))
    person = (mask >= threshold).astype(np.uint8)
    drawn = image.copy()
    tint = 255 * np.asarray(color)
    inside = person > 0
    drawn[inside] = np.rint(alpha * tint + (1 - alpha) * image[inside])
    outline, _ = cv2.findContours(
        person, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    line = max(1, round(width / 224))
    cv2.drawContours(drawn, outline, -1, tint.tolist(), line, cv2.LINE_AA)
    return drawn


def _centred_intrinsics(
    focal: float, size: tuple[int, int]
) -> NDArray[np.float64]:
    """K of a camera that looks at the middle of an image (H, W)."""
    height, width = size
    return np.array(
        [[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]]
    )


def _check_image(image: NDArray) -> None:
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            'image must be (H, W, 3) uint8 RGB, got '
            f'{image.shape} {image.dtype}'
        )
