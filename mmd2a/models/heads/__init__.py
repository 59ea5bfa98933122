"""Heads: tokens to a mesh, to parameters, to an uncertainty."""

from mmd2a.models.heads.coarse_mesh_head import CoarseMeshHead
from mmd2a.models.heads.joint_localizer import JointLocalizer
from mmd2a.models.heads.mesh_refiner import MeshRefiner
from mmd2a.models.heads.rle_flow_head import RLEFlowHead
from mmd2a.models.heads.smpl_head import SMPLHead

__all__ = [
    'CoarseMeshHead',
    'JointLocalizer',
    'MeshRefiner',
    'RLEFlowHead',
    'SMPLHead',
]
