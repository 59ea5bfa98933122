"""Rendering of meshes: it needs PyTorch3D."""
from .rasterizer import MeshRasterizer, RasterizationSettings
from .shader import (
    HardFlatShader,
    HardGouraudShader,
    HardPhongShader,
    SoftGouraudShader,
    SoftPhongShader,
    SoftSilhouetteShader,
)
from .textures import TexturesAtlas, TexturesBase, TexturesUV, TexturesVertex

__all__ = [
    'HardFlatShader', 'HardGouraudShader', 'HardPhongShader',
    'MeshRasterizer', 'RasterizationSettings', 'SoftGouraudShader',
    'SoftPhongShader', 'SoftSilhouetteShader', 'TexturesAtlas',
    'TexturesBase', 'TexturesUV', 'TexturesVertex'
]
