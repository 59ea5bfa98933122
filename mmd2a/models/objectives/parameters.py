"""Pose and shape of a body as points, which losses of points compare."""

import torch
from torch import Tensor

from mmd2a.geometry import axis_angle_to_matrix

# Rotations of a body, the root's first, and numbers of a rotation matrix.
POSE_POINTS = (24, 9)


def predicted_pose(output: dict[str, Tensor]) -> Tensor:
    """Rotation matrices (B, 24, 9) that a head gave.

    Args:
        output: ``global_orient`` (B, 1, 3, 3), ``body_pose`` (B, 23, 3, 3).

    Raises:
        ValueError: the head gives no parameters.

    Example:
        >>> predicted_pose(dict(vertices=torch.zeros(1, 100, 3)))
        Traceback (most recent call last):
        ValueError: loss_pose and loss_betas compare parameters, ...
    """
    _require('body_pose', output)
    rotations = [output['global_orient'], output['body_pose']]
    return torch.cat(rotations, 1).flatten(2)


def labelled_pose(targets: dict[str, Tensor]) -> Tensor:
    """Rotation matrices (B, 24, 9) of labels in axis-angle.

    Args:
        targets: ``global_orient`` (B, 3), ``body_pose`` (B, 69).

    Example:
        >>> labels = dict(
        ...     global_orient=torch.zeros(2, 3), body_pose=torch.zeros(2, 69))
        >>> labelled_pose(labels).shape
        torch.Size([2, 24, 9])
    """
    pose = torch.cat([targets['global_orient'], targets['body_pose']], 1)
    return axis_angle_to_matrix(pose.unflatten(1, (-1, 3))).flatten(2)


def predicted_betas(output: dict[str, Tensor]) -> Tensor:
    """Shape (B, 1, S) that a head gave, as one point.

    Args:
        output: ``betas`` (B, S).

    Raises:
        ValueError: the head gives no parameters.

    Example:
        >>> predicted_betas(dict(betas=torch.zeros(2, 10))).shape
        torch.Size([2, 1, 10])
    """
    _require('betas', output)
    return output['betas'][:, None]


def _require(name: str, output: dict[str, Tensor]) -> None:
    """Say which head gives parameters, where this one does not."""
    if name not in output:
        raise ValueError(
            'loss_pose and loss_betas compare parameters, but this head gives '
            f"no {name}: set head.type='mmd2a.SMPLHead', or these losses to "
            'None'
        )
