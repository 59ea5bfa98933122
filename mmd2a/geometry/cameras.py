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


def affine_points(points: Tensor, matrix: Tensor) -> Tensor:
    """Move pixels by an affine map, ``x' = A x + b`` with ``matrix = [A b]``.

    Args:
        points: (..., P, 2), pixels.
        matrix: (..., 2, 3), as ``cv2.warpAffine`` takes it.

    Returns:
        Pixels (..., P, 2).

    Example:
        >>> shift = torch.tensor([[1., 0, 5], [0, 1, -3]])
        >>> affine_points(torch.zeros(1, 2), shift)
        tensor([[ 5., -3.]])
    """
    linear, offset = matrix[..., :2], matrix[..., 2]
    return points @ linear.transpose(-1, -2) + offset[..., None, :]


def crop_intrinsics(K: Tensor, matrix: Tensor) -> Tensor:
    r"""Return the upright intrinsics of a warped image.

    With ``matrix`` = :math:`[A\; b]`, the warped camera factors uniquely into

    .. math:: \begin{pmatrix} A & b \\ 0 & 1 \end{pmatrix} K = K' Q

    where :math:`K'` is upper triangular with positive focal lengths and
    :math:`Q` (:func:`crop_rotation`) turns or mirrors the scene about the
    optical axis. For scaling and shifting, Q is the identity and ``K'`` sees
    the same scene. For a rotated or flipped crop, ``K'`` sees the labels after
    they too were rotated or flipped by Q, which is what augmentation does:
    ``project(Q X, K') = affine(project(X, K))`` in every case.

    Args:
        K: intrinsics of the image (..., 3, 3), pixels, last row (0, 0, 1).
        matrix: image -> crop (..., 2, 3), pixels.

    Returns:
        Intrinsics of the crop (..., 3, 3), pixels.

    Example:
        >>> K = torch.tensor([[100., 0, 64], [0, 100, 64], [0, 0, 1]])
        >>> half = torch.tensor([[0.5, 0, 0], [0, 0.5, 0]])
        >>> crop_intrinsics(K, half)[:2]
        tensor([[50.,  0., 32.],
                [ 0., 50., 32.]])
    """
    return _factor_warped_camera(K, matrix)[0]


def crop_rotation(K: Tensor, matrix: Tensor) -> Tensor:
    """Return how a warp of the image turns the scene before the camera.

    See :func:`crop_intrinsics`, whose factor Q this is: the identity for an
    upright crop, a roll about the optical axis for a rotated one, a mirroring
    of x for a flipped one.

    Args:
        K: intrinsics of the image (..., 3, 3), pixels, last row (0, 0, 1).
        matrix: image -> crop (..., 2, 3), pixels.

    Returns:
        Orthogonal matrices (..., 3, 3), camera frame to camera frame.

    Example:
        >>> flip = torch.tensor([[-1., 0, 127], [0, 1, 0]])
        >>> crop_rotation(torch.eye(3), flip).diag()
        tensor([-1.,  1.,  1.])
    """
    return _factor_warped_camera(K, matrix)[1]


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


def _per_point(size: Sequence[float] | Tensor, like: Tensor) -> Tensor:
    """Return (..., 1, 2) sizes that broadcast against (..., P, 2) points."""
    size = torch.as_tensor(size, dtype=like.dtype, device=like.device)
    return size[..., None, :]


def _factor_warped_camera(K: Tensor, matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Factor [matrix; 0 0 1] K into (upper triangular, orthogonal)."""
    linear = matrix[..., :2] @ K[..., :2, :2]
    (a, b), (c, d) = (row.unbind(-1) for row in linear.unbind(-2))
    determinant = a * d - b * c
    sign = torch.sign(determinant)
    focal_y = torch.hypot(c, d)
    cos, sin = d / focal_y, c / focal_y
    focal_x = determinant.abs() / focal_y
    skew = a * sin + b * cos
    center = affine_points(K[..., None, :2, 2], matrix)[..., 0, :]

    zero, one = torch.zeros_like(cos), torch.ones_like(cos)
    intrinsics = _matrix(
        (
            (focal_x, skew, center[..., 0]),
            (zero, focal_y, center[..., 1]),
            (zero, zero, one),
        )
    )
    rotation = _matrix(
        ((sign * cos, -sign * sin, zero), (sin, cos, zero), (zero, zero, one))
    )
    return intrinsics, rotation


def _matrix(rows: Sequence[Sequence[Tensor]]) -> Tensor:
    """Stack entries of shape (...) into matrices (..., 3, 3)."""
    return torch.stack(
        [torch.stack(tuple(row), dim=-1) for row in rows], dim=-2
    )
