"""Cameras; what rasterises, lights and textures needs PyTorch3D."""

from mmd2a.interop.mmhuman3d.importing.absent_libraries import rest_of
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.cameras import (
    CamerasBase,
    FoVOrthographicCameras,
    FoVPerspectiveCameras,
    OrthographicCameras,
    PerspectiveCameras,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.utils import (
    TensorProperties,
)

__all__ = [
    'CamerasBase',
    'FoVOrthographicCameras',
    'FoVPerspectiveCameras',
    'OrthographicCameras',
    'PerspectiveCameras',
    'TensorProperties',
]

__getattr__ = rest_of('pytorch3d.renderer')
