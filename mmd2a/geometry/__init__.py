"""Rotations, cameras, alignment: pure functions on tensors."""

from mmd2a.geometry.alignment import similarity_align
from mmd2a.geometry.cameras import (
    denormalize_keypoints2d,
    normalize_keypoints2d,
    project_points,
    resize_intrinsics,
    weak_perspective_project,
    weak_perspective_to_translation,
)
from mmd2a.geometry.crop_camera import CropCamera
from mmd2a.geometry.root import root_is_known, root_position
from mmd2a.geometry.rotations import (
    as_yaw,
    axis_angle_to_matrix,
    matrix_to_axis_angle,
    matrix_to_rotation_6d,
    rotation_6d_to_matrix,
    turn_into_view,
    view_rotation,
)
from mmd2a.geometry.silhouettes import crop_silhouettes

__all__ = [
    'CropCamera',
    'as_yaw',
    'axis_angle_to_matrix',
    'crop_silhouettes',
    'denormalize_keypoints2d',
    'matrix_to_axis_angle',
    'matrix_to_rotation_6d',
    'normalize_keypoints2d',
    'project_points',
    'resize_intrinsics',
    'root_is_known',
    'root_position',
    'rotation_6d_to_matrix',
    'similarity_align',
    'turn_into_view',
    'view_rotation',
    'weak_perspective_project',
    'weak_perspective_to_translation',
]
