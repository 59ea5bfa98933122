"""Cameras; rasterisation, lights and textures need PyTorch3D."""
from ..missing import missing_class, missing_function
from .cameras import (
    CamerasBase,
    FoVOrthographicCameras,
    FoVPerspectiveCameras,
    OrthographicCameras,
    PerspectiveCameras,
    look_at_rotation,
    look_at_view_transform,
)
from .lighting import AmbientLights, DirectionalLights, PointLights
from .mesh import (
    HardFlatShader,
    HardGouraudShader,
    HardPhongShader,
    MeshRasterizer,
    RasterizationSettings,
    SoftGouraudShader,
    SoftPhongShader,
    SoftSilhouetteShader,
    TexturesAtlas,
    TexturesUV,
    TexturesVertex,
)
from .utils import TensorProperties

__all__ = [
    'AlphaCompositor', 'AmbientLights', 'BlendParams', 'CamerasBase',
    'DirectionalLights', 'FoVOrthographicCameras', 'FoVPerspectiveCameras',
    'HardFlatShader', 'HardGouraudShader', 'HardPhongShader', 'Materials',
    'MeshRasterizer', 'MeshRenderer', 'OrthographicCameras',
    'PerspectiveCameras', 'PointLights', 'PointsRasterizationSettings',
    'PointsRasterizer', 'RasterizationSettings', 'SoftGouraudShader',
    'SoftPhongShader', 'SoftSilhouetteShader', 'TensorProperties',
    'TexturesAtlas', 'TexturesUV', 'TexturesVertex', 'hard_rgb_blend',
    'look_at_rotation', 'look_at_view_transform'
]

AlphaCompositor = missing_class('pytorch3d.renderer.AlphaCompositor')
BlendParams = missing_class('pytorch3d.renderer.BlendParams')
Materials = missing_class('pytorch3d.renderer.Materials')
MeshRenderer = missing_class('pytorch3d.renderer.MeshRenderer')
PointsRasterizationSettings = missing_class(
    'pytorch3d.renderer.PointsRasterizationSettings')
PointsRasterizer = missing_class('pytorch3d.renderer.PointsRasterizer')
hard_rgb_blend = missing_function('pytorch3d.renderer.hard_rgb_blend')
