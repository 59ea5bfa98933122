"""Guests: parts that bring depth, masks and densities to other packages.

What models of mmpose, mmdet and mmpretrain need to take our parts and our
data; nothing of this package's own models is here.
"""

from mmd2a.mixing.auxiliary_silhouette_head import AuxiliarySilhouetteHead
from mmd2a.mixing.facing_label import FacingLabel
from mmd2a.mixing.keypoint_rle_loss import KeypointRLELoss
from mmd2a.mixing.normalize_rgbd import NormalizeRGBD
from mmd2a.mixing.person_to_instance import PersonToInstance
from mmd2a.mixing.person_to_keypoints import PersonToKeypoints
from mmd2a.mixing.rgbd_backbone import RGBDBackbone
from mmd2a.mixing.rgbd_data_preprocessor import RGBDDataPreprocessor
from mmd2a.mixing.stack_depth import StackDepth
from mmd2a.mixing.stacking import stack_depth, unstack_depth

__all__ = [
    'AuxiliarySilhouetteHead',
    'FacingLabel',
    'KeypointRLELoss',
    'NormalizeRGBD',
    'PersonToInstance',
    'PersonToKeypoints',
    'RGBDBackbone',
    'RGBDDataPreprocessor',
    'StackDepth',
    'stack_depth',
    'unstack_depth',
]
