"""Losses: one weight rule for all, see `mmd2a.models.losses.reduction`."""

from mmd2a.models.losses.joint_loss import JointLoss
from mmd2a.models.losses.rle_loss import RLELoss
from mmd2a.models.losses.silhouette_loss import SilhouetteLoss
from mmd2a.models.losses.vertex_loss import VertexLoss

__all__ = ['JointLoss', 'RLELoss', 'SilhouetteLoss', 'VertexLoss']
