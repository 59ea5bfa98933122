"""What a program calls: models by their names."""

from mmd2a.apis.get_model import get_model

__all__ = ['get_model']
