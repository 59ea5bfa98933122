"""Losses: one weight rule for all, see `mmd2a.models.losses.reduction`."""

from mmd2a.models.losses.foreign_loss import (
    ElementwiseLoss,
    build_density_loss,
    build_mask_loss,
    build_optional_loss,
    build_point_loss,
)
from mmd2a.models.losses.joint_loss import JointLoss
from mmd2a.models.losses.rle_loss import RLELoss
from mmd2a.models.losses.silhouette_loss import SilhouetteLoss
from mmd2a.models.losses.vertex_loss import VertexLoss

__all__ = [
    'ElementwiseLoss',
    'JointLoss',
    'RLELoss',
    'SilhouetteLoss',
    'VertexLoss',
    'build_density_loss',
    'build_mask_loss',
    'build_optional_loss',
    'build_point_loss',
]
