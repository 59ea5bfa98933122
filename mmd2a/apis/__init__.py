"""What a program calls: models by their names, meshes of pictures."""

from mmd2a.apis.get_model import get_model
from mmd2a.apis.mesh_inferencer import MeshInferencer
from mmd2a.apis.person_mesh import PersonMesh
from mmd2a.apis.predictor import Predictor

__all__ = ['MeshInferencer', 'PersonMesh', 'Predictor', 'get_model']
