"""Cameras, as PyTorch3D defines them."""

from mmd2a.interop.mmhuman3d.importing.absent_libraries import rest_of
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.camera_base import (
    CamerasBase,
    get_ndc_to_screen_transform,
    get_screen_to_ndc_transform,
    get_world_to_view_transform,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.fov_cameras import (
    FoVOrthographicCameras,
    FoVPerspectiveCameras,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.sfm_cameras import (
    OrthographicCameras,
    PerspectiveCameras,
    _get_sfm_calibration_matrix,
)

__all__ = [
    'CamerasBase',
    'FoVOrthographicCameras',
    'FoVPerspectiveCameras',
    'OrthographicCameras',
    'PerspectiveCameras',
    '_get_sfm_calibration_matrix',
    'get_ndc_to_screen_transform',
    'get_screen_to_ndc_transform',
    'get_world_to_view_transform',
]

__getattr__ = rest_of('pytorch3d.renderer.cameras')
