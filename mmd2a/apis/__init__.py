"""What a program calls: models by their names, meshes of pictures."""

from mmd2a.apis.get_model import get_model
from mmd2a.apis.predictor import Predictor

__all__ = ['Predictor', 'get_model']
