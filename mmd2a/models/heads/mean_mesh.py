"""Where the mesh heads start: a person standing upright before the camera."""

import math

import torch
from torch import Tensor

from mmd2a.body_models import SMPLBodyModel
from mmd2a.geometry.rotations import axis_angle_to_matrix

LEFT_SHOULDER, RIGHT_SHOULDER = 16, 17


def mean_rotations(num_body_joints: int = 23) -> Tensor:
    """Rotations (1 + J, 3, 3) of the mean body in the OpenCV camera frame.

    The rest pose turned to face the camera with the head up (half a turn
    about x, from y up to y down) and with the arms lowered by one radian,
    closer to most people in photos than the T-pose.

    Args:
        num_body_joints: J, 23 of SMPL, 21 of SMPL-H and SMPL-X.
    """
    axis_angle = torch.zeros(1 + num_body_joints, 3)
    axis_angle[0, 0] = math.pi
    axis_angle[LEFT_SHOULDER, 2] = -1.0
    axis_angle[RIGHT_SHOULDER, 2] = 1.0
    return axis_angle_to_matrix(axis_angle)


@torch.no_grad()
def mean_vertices(body_model: SMPLBodyModel) -> Tensor:
    """Vertices (V, 3) of the mean body, metres, OpenCV camera frame."""
    template = body_model.v_template
    rotations = mean_rotations(body_model.num_body_joints).to(template)[None]
    return body_model(
        rotations[:, :1],
        rotations[:, 1:],
        template.new_zeros(1, body_model.num_betas),
        pose_format='matrix',
    ).vertices[0]
