"""Files of meshes: they need PyTorch3D."""

from mmd2a.interop.mmhuman3d.importing.pytorch3d.io.obj_io import (
    load_objs_as_meshes,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.missing import (
    missing_class,
    missing_function,
)

__all__ = ['IO', 'load_objs_as_meshes', 'save_obj']

IO = missing_class('pytorch3d.io.IO')
save_obj = missing_function('pytorch3d.io.save_obj')
