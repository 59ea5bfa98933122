"""OBJ files: they need PyTorch3D."""

from mmd2a.interop.mmhuman3d.importing.pytorch3d.missing import (
    missing_function,
)

__all__ = ['load_objs_as_meshes']

load_objs_as_meshes = missing_function('pytorch3d.io.load_objs_as_meshes')
