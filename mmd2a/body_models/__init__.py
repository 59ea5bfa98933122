"""Body models: the layer, the body that comes along, and what reads them."""

from mmd2a.body_models.body_file import BodyFileError, read_body_file
from mmd2a.body_models.build import build_body
from mmd2a.body_models.coarsening import MeshCoarsening, coarsen_mesh
from mmd2a.body_models.embedded import EMBEDDED_BODY_PATH, load_embedded_body
from mmd2a.body_models.fitting import BodyFit, BodyFitter, fit_smpl
from mmd2a.body_models.joint_sets import (
    JOINT_SETS,
    SMPL_PARENTS,
    flip_pairs,
    human_data_indices,
    joint_names,
    map_joints,
)
from mmd2a.body_models.mirror import SMPL_FLIP_PERMUTATION, mirror_pose
from mmd2a.body_models.pose_directions import pose_directions
from mmd2a.body_models.shared import BodyMismatchError, share_body
from mmd2a.body_models.smpl import BodyOutput, SMPLBodyModel

__all__ = [
    'EMBEDDED_BODY_PATH',
    'JOINT_SETS',
    'SMPL_FLIP_PERMUTATION',
    'SMPL_PARENTS',
    'BodyFileError',
    'BodyFit',
    'BodyFitter',
    'BodyMismatchError',
    'BodyOutput',
    'MeshCoarsening',
    'SMPLBodyModel',
    'build_body',
    'coarsen_mesh',
    'fit_smpl',
    'flip_pairs',
    'human_data_indices',
    'joint_names',
    'load_embedded_body',
    'map_joints',
    'mirror_pose',
    'pose_directions',
    'read_body_file',
    'share_body',
]
