"""Silhouettes of meshes at the place they have in a crop."""

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from mmd2a.geometry.cameras import resize_intrinsics
from mmd2a.geometry.rasterization import rasterize_silhouette

# A mesh that comes closer to the camera, in metres, is not drawn.
_NEAREST = 0.1


@torch.no_grad()
def crop_silhouettes(
    vertices: Tensor,
    faces: ArrayLike | Tensor,
    K: Tensor,
    crop: tuple[int, int],
    size: tuple[int, int],
) -> tuple[Tensor, Tensor]:
    """Draw the masks of meshes as the camera of their crop sees them.

    B: batch, V: vertices, F: faces.

    Args:
        vertices: (B, V, 3) OpenCV camera frame, metres.
        faces: (F, 3) vertex indices.
        K: intrinsics (B, 3, 3) of the crops, pixels; zeros where unknown.
        crop: (height, width) of the crops, pixels.
        size: (h, w) of the masks, which show the same as the crop.

    Returns:
        Masks (B, h, w), bool, and which of them are drawn (B,), bool: those
        of a known camera, of bodies that are all before it.

    Example:
        >>> K = torch.tensor([[[8., 0, 4], [0, 8, 4], [0, 0, 1]]])
        >>> triangle = torch.tensor([[[-1., -1, 2], [1, -1, 2], [-1, 1, 2]]])
        >>> masks, drawn = crop_silhouettes(
        ...     triangle, [[0, 1, 2]], K, (8, 8), (16, 16))
        >>> masks.shape, drawn
        (torch.Size([1, 16, 16]), tensor([True]))
    """
    K = resize_intrinsics(K.to(vertices), crop, size)
    drawn = (K[:, 0, 0] > 0) & (vertices[..., 2] > _NEAREST).all(-1)
    masks = drawn.new_zeros(len(vertices), *size)
    masks[drawn] = rasterize_silhouette(vertices[drawn], faces, K[drawn], size)
    return masks, drawn
