"""PyTorch3D's conversions between representations of rotations, on ``roma``.

Matrices turn column vectors. Quaternions are (w, x, y, z), the real part
first; ``roma`` has it last. Six-dimensional rotations are two *rows* of a
matrix; :mod:`mmd2a.geometry.rotations`, like HMR and SPIN, uses columns.
"""

import roma
from torch import Tensor

from mmd2a.geometry.rotations import axis_angle_to_matrix

__all__ = [
    'axis_angle_to_matrix',
    'axis_angle_to_quaternion',
    'euler_angles_to_matrix',
    'matrix_to_euler_angles',
    'matrix_to_quaternion',
    'matrix_to_rotation_6d',
    'quaternion_to_axis_angle',
    'quaternion_to_matrix',
    'rotation_6d_to_matrix',
]

# Shorter rows than this carry no direction; the result is then finite but
# no rotation.
_MIN_ROW_NORM = 1e-8


def axis_angle_to_quaternion(axis_angle: Tensor) -> Tensor:
    """Turn axis-angle vectors into quaternions.

    Args:
        axis_angle: (..., 3), radians.

    Returns:
        Unit quaternions (..., 4), real part first: cos(angle / 2), negative
        for angles beyond pi.

    Example:
        >>> axis_angle_to_quaternion(torch.zeros(3))
        tensor([1., 0., 0., 0.])
    """
    return _real_first(roma.rotvec_to_unitquat(axis_angle))


def quaternion_to_axis_angle(quaternions: Tensor) -> Tensor:
    """Turn unit quaternions into axis-angle vectors.

    Args:
        quaternions: (..., 4), real part first.

    Returns:
        Axis-angle (..., 3), radians; the angle lies in [0, 2 pi] and is
        beyond pi where the real part is negative.

    Example:
        >>> quaternion_to_axis_angle(torch.tensor([0., 1., 0., 0.]))
        tensor([3.1416, 0.0000, 0.0000])
    """
    return roma.unitquat_to_rotvec(_real_last(quaternions), shortest_arc=False)


def quaternion_to_matrix(quaternions: Tensor) -> Tensor:
    """Turn quaternions into rotation matrices.

    Args:
        quaternions: (..., 4), real part first, of any length but zero.

    Returns:
        Rotation matrices (..., 3, 3).

    Example:
        >>> quaternion_to_matrix(torch.tensor([2., 0., 0., 0.])).diag()
        tensor([1., 1., 1.])
    """
    return roma.unitquat_to_rotmat(
        roma.quat_normalize(_real_last(quaternions))
    )


def matrix_to_quaternion(matrix: Tensor) -> Tensor:
    """Turn rotation matrices into quaternions.

    Args:
        matrix: rotation matrices (..., 3, 3).

    Returns:
        Unit quaternions (..., 4), real part first and not negative.

    Example:
        >>> matrix_to_quaternion(torch.eye(3))
        tensor([1., 0., 0., 0.])
    """
    quaternions = _real_first(roma.rotmat_to_unitquat(matrix))
    return quaternions.where(quaternions[..., :1] >= 0, -quaternions)


def euler_angles_to_matrix(euler_angles: Tensor, convention: str) -> Tensor:
    r"""Turn Euler angles into rotation matrices.

    .. math:: R = R_1(\alpha_1)\, R_2(\alpha_2)\, R_3(\alpha_3)

    with :math:`R_i` about the i-th axis of ``convention``.

    Args:
        euler_angles: (..., 3), radians.
        convention: three capital letters out of X, Y and Z, neighbours
            different.

    Returns:
        Rotation matrices (..., 3, 3).

    Raises:
        ValueError: there is no such convention.

    Example:
        >>> euler_angles_to_matrix(torch.zeros(2, 3), 'XYZ').shape
        torch.Size([2, 3, 3])
    """
    _check(convention)
    return roma.euler_to_rotmat(convention, euler_angles)


def matrix_to_euler_angles(matrix: Tensor, convention: str) -> Tensor:
    """Turn rotation matrices into Euler angles.

    The second angle lies in [-pi/2, pi/2] when the three axes differ and in
    [0, pi] when the first is also the third. At the ends of these ranges
    only the sum or difference of the other two is determined; the third
    angle is then zero.

    Args:
        matrix: rotation matrices (..., 3, 3).
        convention: see :func:`euler_angles_to_matrix`.

    Returns:
        Euler angles (..., 3), radians.

    Raises:
        ValueError: there is no such convention.

    Example:
        >>> matrix_to_euler_angles(torch.eye(3), 'ZXZ')
        tensor([0., 0., 0.])
    """
    _check(convention)
    return roma.rotmat_to_euler(convention, matrix)


def rotation_6d_to_matrix(d6: Tensor) -> Tensor:
    """Turn the continuous 6-D representation into rotation matrices.

    Gram-Schmidt on two vectors, which become the first two rows.

    Args:
        d6: (..., 6), two vectors one after the other, of any scale.

    Returns:
        Rotation matrices (..., 3, 3).

    Zhou et al., "On the Continuity of Rotation Representations in Neural
    Networks", CVPR 2019.

    Example:
        >>> rotation_6d_to_matrix(torch.tensor([2., 0, 0, 0, 3, 0])).diag()
        tensor([1., 1., 1.])
    """
    columns = d6.unflatten(-1, (2, 3)).mT
    return roma.special_gramschmidt(columns, epsilon=_MIN_ROW_NORM).mT


def matrix_to_rotation_6d(matrix: Tensor) -> Tensor:
    """Drop the last row of rotation matrices.

    Args:
        matrix: rotation matrices (..., 3, 3).

    Returns:
        6-D representation (..., 6), the first two rows one after the other.

    Example:
        >>> matrix_to_rotation_6d(torch.eye(3))
        tensor([1., 0., 0., 0., 1., 0.])
    """
    return matrix[..., :2, :].flatten(-2)


def _real_first(quaternions: Tensor) -> Tensor:
    return quaternions.roll(1, dims=-1)


def _real_last(quaternions: Tensor) -> Tensor:
    return quaternions.roll(-1, dims=-1)


def _check(convention: str) -> None:
    if (
        len(convention) != 3
        or not set(convention) <= set('XYZ')
        or convention[1] in (convention[0], convention[2])
    ):
        raise ValueError(
            f'no Euler angle convention {convention!r}: it takes three '
            "letters out of X, Y and Z, neighbours different, e.g. 'XYZ'"
        )
