"""Batches of tensors of different lengths; meshes need PyTorch3D."""

from mmd2a.interop.mmhuman3d.importing.pytorch3d.missing import (
    missing_class,
    missing_function,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.structures.utils import (
    list_to_padded,
    padded_to_list,
    padded_to_packed,
)

__all__ = [
    'Meshes',
    'Pointclouds',
    'join_meshes_as_batch',
    'join_meshes_as_scene',
    'list_to_padded',
    'padded_to_list',
    'padded_to_packed',
]

Meshes = missing_class('pytorch3d.structures.Meshes')
Pointclouds = missing_class('pytorch3d.structures.Pointclouds')
join_meshes_as_batch = missing_function(
    'pytorch3d.structures.join_meshes_as_batch'
)
join_meshes_as_scene = missing_function(
    'pytorch3d.structures.join_meshes_as_scene'
)
