"""Conversions between representations of rotations, on top of ``roma``."""

import roma
import torch
from torch import Tensor

# Shorter columns than this carry no direction; the result is then finite but
# no rotation.
_MIN_COLUMN_NORM = 1e-8


def axis_angle_to_matrix(axis_angle: Tensor) -> Tensor:
    """Turn axis-angle vectors into rotation matrices (Rodrigues).

    Finite, with finite gradients, at the zero rotation.

    Args:
        axis_angle: (..., 3), radians.

    Returns:
        Rotation matrices (..., 3, 3).

    Example:
        >>> import torch
        >>> axis_angle_to_matrix(torch.zeros(2, 23, 3)).shape
        torch.Size([2, 23, 3, 3])
    """
    return roma.rotvec_to_rotmat(axis_angle)


def matrix_to_axis_angle(matrix: Tensor) -> Tensor:
    """Turn rotation matrices into the shortest axis-angle vectors.

    The angle lies in [0, pi]. At exactly pi both ends of the axis describe
    the rotation; one of them is returned.

    Args:
        matrix: rotation matrices (..., 3, 3).

    Returns:
        Axis-angle (..., 3), radians.

    Example:
        >>> import torch
        >>> matrix_to_axis_angle(torch.eye(3))
        tensor([0., 0., 0.])
    """
    return roma.rotmat_to_rotvec(matrix)


def rotation_6d_to_matrix(rotation_6d: Tensor) -> Tensor:
    r"""Turn the continuous 6-D representation into rotation matrices.

    Gram-Schmidt on the first two columns :math:`a_1, a_2` of a matrix. The
    six numbers are these columns read row by row,
    :math:`(a_{11}, a_{21}, a_{12}, a_{22}, a_{13}, a_{23})`, as in HMR and
    SPIN. (PyTorch3D stores two *rows* one after the other: weights trained
    with it do not fit.)

    Args:
        rotation_6d: (..., 6), any scale.

    Returns:
        Rotation matrices (..., 3, 3). Where the two columns are parallel or
        zero there is no rotation to return; the result is finite.

    Zhou et al., "On the Continuity of Rotation Representations in Neural
    Networks", CVPR 2019.

    Example:
        >>> import torch
        >>> rotation_6d_to_matrix(torch.tensor([2., 0, 0, 2, 0, 0])).diag()
        tensor([1., 1., 1.])
    """
    columns = rotation_6d.unflatten(-1, (3, 2))
    return roma.special_gramschmidt(columns, epsilon=_MIN_COLUMN_NORM)


def matrix_to_rotation_6d(matrix: Tensor) -> Tensor:
    """Drop the last column of rotation matrices.

    Inverse of :func:`rotation_6d_to_matrix`, in the same order.

    Args:
        matrix: rotation matrices (..., 3, 3).

    Returns:
        6-D representation (..., 6).

    Example:
        >>> import torch
        >>> matrix_to_rotation_6d(torch.eye(3))
        tensor([1., 0., 0., 1., 0., 0.])
    """
    return matrix[..., :2].flatten(-2)


def view_rotation(yaw: Tensor) -> Tensor:
    r"""Turn people about the vertical as a view from an angle shows them.

    .. math:: R_y(-\varphi) = \begin{pmatrix} \cos\varphi & 0 &
              -\sin\varphi \\ 0 & 1 & 0 \\
              \sin\varphi & 0 & \cos\varphi \end{pmatrix}

    The camera goes clockwise, seen from above: at φ = 90° it stands at the
    left of the image, and (x, y, z) is at (-z, y, x).

    Args:
        yaw: angle φ (...), radians.

    Returns:
        Rotation matrices (..., 3, 3), OpenCV camera axes.

    Sign of φ as in ImpHMR (Cho et al., CVPR 2023, arXiv:2306.17651).

    Example:
        >>> quarter = view_rotation(torch.tensor(torch.pi / 2))
        >>> (quarter @ torch.tensor([1.0, 2.0, 3.0])).round()
        tensor([-3.,  2.,  1.])
    """
    cos, sin = yaw.cos(), yaw.sin()
    zero, one = torch.zeros_like(yaw), torch.ones_like(yaw)
    rows = [cos, zero, -sin, zero, one, zero, sin, zero, cos]
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def turn_into_view(points: Tensor, yaw: Tensor) -> Tensor:
    """Turn points about the vertical through the origin, by minus the angle.

    Of a person relative to their root: what a camera sees that went round
    them, by :func:`view_rotation`.

    Args:
        points: (..., P, 3), relative to the root, OpenCV camera axes.
        yaw: angle φ (...), radians.

    Returns:
        (..., P, 3), in the axes of the camera that went round.

    Example:
        >>> hand = torch.tensor([[2.0, 1.0, -3.0]])
        >>> turn_into_view(hand, torch.tensor(torch.pi / 2)).round()
        tensor([[3., 1., 2.]])
    """
    return points @ view_rotation(yaw).transpose(-1, -2)


def as_yaw(yaw: Tensor | float, like: Tensor) -> Tensor:
    """Return angles of view as one number for each sample of a batch.

    Args:
        yaw: angle (B,), or one for all, radians.
        like: (B, ...), whose type and device the angles get.

    Returns:
        (B,).

    Raises:
        ValueError: an angle that is not finite. Of angles on another device
            than the CPU this is not asked: looking would be waiting.

    Example:
        >>> as_yaw(0.5, torch.zeros(3, 14, 3))
        tensor([0.5000, 0.5000, 0.5000])
    """
    angle = torch.as_tensor(
        yaw, dtype=None if isinstance(yaw, Tensor) else like.dtype
    )
    if angle.device.type == 'cpu' and not angle.isfinite().all():
        raise ValueError(f'yaw must be finite, got {angle.tolist()}')
    return angle.to(like).expand(len(like))
