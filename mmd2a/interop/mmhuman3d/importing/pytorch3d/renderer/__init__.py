"""Cameras; rasterisation, lights and textures need PyTorch3D."""

from mmd2a.interop.mmhuman3d.importing.pytorch3d.missing import (
    missing_class,
    missing_function,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.cameras import (
    CamerasBase,
    FoVOrthographicCameras,
    FoVPerspectiveCameras,
    OrthographicCameras,
    PerspectiveCameras,
    look_at_rotation,
    look_at_view_transform,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.lighting import (
    AmbientLights,
    DirectionalLights,
    PointLights,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.mesh import (
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
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.utils import (
    TensorProperties,
)

__all__ = [
    'AlphaCompositor',
    'AmbientLights',
    'BlendParams',
    'CamerasBase',
    'DirectionalLights',
    'FoVOrthographicCameras',
    'FoVPerspectiveCameras',
    'HardFlatShader',
    'HardGouraudShader',
    'HardPhongShader',
    'Materials',
    'MeshRasterizer',
    'MeshRenderer',
    'OrthographicCameras',
    'PerspectiveCameras',
    'PointLights',
    'PointsRasterizationSettings',
    'PointsRasterizer',
    'RasterizationSettings',
    'SoftGouraudShader',
    'SoftPhongShader',
    'SoftSilhouetteShader',
    'TensorProperties',
    'TexturesAtlas',
    'TexturesUV',
    'TexturesVertex',
    'hard_rgb_blend',
    'look_at_rotation',
    'look_at_view_transform',
]

AlphaCompositor = missing_class('pytorch3d.renderer.AlphaCompositor')
BlendParams = missing_class('pytorch3d.renderer.BlendParams')
Materials = missing_class('pytorch3d.renderer.Materials')
MeshRenderer = missing_class('pytorch3d.renderer.MeshRenderer')
PointsRasterizationSettings = missing_class(
    'pytorch3d.renderer.PointsRasterizationSettings'
)
PointsRasterizer = missing_class('pytorch3d.renderer.PointsRasterizer')
hard_rgb_blend = missing_function('pytorch3d.renderer.hard_rgb_blend')
