"""Projection, and the coordinates of a crop against those of its image.

P: points. OpenCV camera frame: +x right, +y down, +z forward, metres.
Pixel centres lie at integers, so an image of width W spans [-0.5, W - 0.5].
Crop coordinates are normalised to [-1, 1] over that span,
``x_n = (2 x + 1) / W - 1``: what ``grid_sample(align_corners=False)`` reads.
All functions take any batch prefix.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

# Scale below which a weak-perspective camera counts as infinitely far away.
_MIN_SCALE = 1e-6


def project_points(points: Tensor, K: Tensor) -> Tensor:
    r"""Project camera-frame points with a pinhole camera.

    .. math:: \lambda\,(x, y, 1)^\top = K\,(X, Y, Z)^\top

    Args:
        points: (..., P, 3), camera frame, in front of the camera (Z > 0).
            Points behind it come out mirrored, as the formula has it.
        K: intrinsics (..., 3, 3), pixels.

    Returns:
        Pixels (..., P, 2).

    Example:
        >>> K = torch.tensor([[100., 0, 64], [0, 100, 64], [0, 0, 1]])
        >>> project_points(torch.tensor([[1., 0, 2]]), K)
        tensor([[114.,  64.]])
    """
    homogeneous = points @ K.transpose(-1, -2)
    return homogeneous[..., :2] / homogeneous[..., 2:]


def weak_perspective_project(points: Tensor, camera: Tensor) -> Tensor:
    r"""Project points with a scaled orthographic camera, as HMR does.

    .. math:: x_n = s\,(X + t_x), \quad y_n = s\,(Y + t_y)

    Args:
        points: (..., P, 3), camera axes, relative to the body's root.
        camera: (..., 3), ``(s, t_x, t_y)``; s in crop half-widths per metre,
            t in metres.

    Returns:
        Crop coordinates (..., P, 2).

    Kanazawa et al., "End-to-end Recovery of Human Shape and Pose", CVPR 2018.

    Example:
        >>> points = torch.tensor([[0.5, -0.5, 9.0]])
        >>> weak_perspective_project(points, torch.tensor([2., 0., 0.]))
        tensor([[ 1., -1.]])
    """
    return camera[..., None, :1] * (points[..., :2] + camera[..., None, 1:])


def normalize_keypoints2d(
    pixels: Tensor, size: Sequence[float] | Tensor
) -> Tensor:
    """Turn pixels into crop coordinates, ``x_n = (2 x + 1) / W - 1``.

    Args:
        pixels: (..., P, 2), pixel centres at integers.
        size: (width, height) of the crop, or a tensor (..., 2) of them.

    Returns:
        Crop coordinates (..., P, 2).

    Example:
        >>> corner = torch.tensor([[-0.5, 55.5]])
        >>> normalize_keypoints2d(corner, (224, 56))
        tensor([[-1.,  1.]])
    """
    return (2 * pixels + 1) / _per_point(size, pixels) - 1


def denormalize_keypoints2d(
    keypoints: Tensor, size: Sequence[float] | Tensor
) -> Tensor:
    """Turn crop coordinates into pixels, ``x = ((x_n + 1) W - 1) / 2``.

    Inverse of :func:`normalize_keypoints2d`.

    Args:
        keypoints: crop coordinates (..., P, 2).
        size: (width, height) of the crop, or a tensor (..., 2) of them.

    Returns:
        Pixels (..., P, 2), pixel centres at integers.

    Example:
        >>> denormalize_keypoints2d(torch.zeros(1, 2), (224, 224))
        tensor([[111.5000, 111.5000]])
    """
    return ((keypoints + 1) * _per_point(size, keypoints) - 1) / 2


def weak_perspective_to_translation(
    camera: Tensor, focal: float | Tensor, size: float | Sequence[float]
) -> Tensor:
    r"""Place a body before a perspective camera of the crop, as HMR does.

    .. math:: t = (t_x,\; t_y,\; 2 f / (s W))

    With focal length f and the principal point in the middle of the crop,
    points at the root's depth project to where
    :func:`weak_perspective_project` puts them; the rest differ by perspective.

    Args:
        camera: weak perspective ``(s, t_x, t_y)``, (..., 3). Where s is not
            positive, the body is put very far away.
        focal: focal length in pixels of the crop, number or (...).
        size: side W of the square crop in pixels, or (W, W).

    Returns:
        Translation (..., 3), camera frame, metres.

    Example:
        >>> camera = torch.tensor([1., 0., 0.])
        >>> weak_perspective_to_translation(camera, 1000.0, 200)
        tensor([ 0.,  0., 10.])
    """
    sides = tuple(size) if isinstance(size, Sequence) else (size,)
    if len(set(sides)) != 1:
        raise ValueError(
            f'a weak-perspective camera has one scale for both axes, so the '
            f'crop must be square, got size {sides}; pad the crop to a '
            f'square first'
        )
    scale = camera[..., 0].clamp(min=_MIN_SCALE)
    depth = 2 * focal / (scale * sides[0])
    return torch.stack((camera[..., 1], camera[..., 2], depth), dim=-1)


def resize_intrinsics(
    K: Tensor, size: tuple[int, int], new_size: tuple[int, int]
) -> Tensor:
    """Return the intrinsics of a picture after a change of its size.

    Args:
        K: intrinsics (..., 3, 3), pixels.
        size: (height, width) of the picture they are of, pixels.
        new_size: (height, width) of the picture that shows the same.

    Returns:
        (..., 3, 3), pixels of the new size.

    Example:
        >>> K = torch.tensor([[100., 0, 49.5], [0, 100, 49.5], [0, 0, 1]])
        >>> resize_intrinsics(K, (100, 100), (200, 200))[0]
        tensor([200.0000,   0.0000,  99.5000])
    """
    y, x = (new / old for new, old in zip(new_size, size))
    # Pixel centres lie at integers: x + 1/2 scales, not x.
    scale = [[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]]
    return torch.tensor(scale, dtype=K.dtype, device=K.device) @ K


def _per_point(size: Sequence[float] | Tensor, like: Tensor) -> Tensor:
    """Return (..., 1, 2) sizes that broadcast against (..., P, 2) points."""
    size = torch.as_tensor(size, dtype=like.dtype, device=like.device)
    return size[..., None, :]
