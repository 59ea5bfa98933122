"""Operators on meshes: they need PyTorch3D."""

from mmd2a.interop.mmhuman3d.importing.pytorch3d.missing import (
    missing_function,
)

__all__ = ['interpolate_face_attributes']

interpolate_face_attributes = missing_function(
    'pytorch3d.ops.interpolate_face_attributes'
)
