"""Rotation conversions and 4x4 transforms."""

from mmd2a.interop.mmhuman3d.importing.absent_libraries import rest_of
from mmd2a.interop.mmhuman3d.importing.pytorch3d.transforms.rotation_conversions import (  # noqa: E501
    axis_angle_to_matrix,
    axis_angle_to_quaternion,
    euler_angles_to_matrix,
    matrix_to_euler_angles,
    matrix_to_quaternion,
    matrix_to_rotation_6d,
    quaternion_to_axis_angle,
    quaternion_to_matrix,
    rotation_6d_to_matrix,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.transforms.transform3d import (  # noqa: E501
    Rotate,
    Transform3d,
    Translate,
)

__all__ = [
    'Rotate',
    'Transform3d',
    'Translate',
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

__getattr__ = rest_of('pytorch3d.transforms')
