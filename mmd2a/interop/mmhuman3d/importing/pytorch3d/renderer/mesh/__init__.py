"""Rendering of meshes: it needs PyTorch3D."""

from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.mesh.rasterizer import (  # noqa: E501
    MeshRasterizer,
    RasterizationSettings,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.mesh.shader import (
    HardFlatShader,
    HardGouraudShader,
    HardPhongShader,
    SoftGouraudShader,
    SoftPhongShader,
    SoftSilhouetteShader,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.mesh.textures import (  # noqa: E501
    TexturesAtlas,
    TexturesBase,
    TexturesUV,
    TexturesVertex,
)

__all__ = [
    'HardFlatShader',
    'HardGouraudShader',
    'HardPhongShader',
    'MeshRasterizer',
    'RasterizationSettings',
    'SoftGouraudShader',
    'SoftPhongShader',
    'SoftSilhouetteShader',
    'TexturesAtlas',
    'TexturesBase',
    'TexturesUV',
    'TexturesVertex',
]
