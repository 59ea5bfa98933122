"""Textures: they need PyTorch3D."""

from mmd2a.interop.mmhuman3d.importing.pytorch3d.missing import missing_class

__all__ = ['TexturesAtlas', 'TexturesBase', 'TexturesUV', 'TexturesVertex']

TexturesAtlas = missing_class('pytorch3d.renderer.mesh.textures.TexturesAtlas')
TexturesBase = missing_class('pytorch3d.renderer.mesh.textures.TexturesBase')
TexturesUV = missing_class('pytorch3d.renderer.mesh.textures.TexturesUV')
TexturesVertex = missing_class(
    'pytorch3d.renderer.mesh.textures.TexturesVertex'
)
