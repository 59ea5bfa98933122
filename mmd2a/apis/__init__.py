"""What a program calls: models by their names, meshes of pictures."""

from mmd2a.apis.body_transfer import BodyTransfer, fit_to_body
from mmd2a.apis.get_model import get_model
from mmd2a.apis.mesh_inferencer import MeshInferencer
from mmd2a.apis.person_mesh import PersonMesh
from mmd2a.apis.predictor import Predictor
from mmd2a.apis.refinement import Refinement, refine
from mmd2a.apis.seen_from import seen_from
from mmd2a.apis.view_fusion import fuse_views

__all__ = [
    'BodyTransfer',
    'MeshInferencer',
    'PersonMesh',
    'Predictor',
    'Refinement',
    'fit_to_body',
    'fuse_views',
    'get_model',
    'refine',
    'seen_from',
]
