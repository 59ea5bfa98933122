"""Rasterisation of meshes: it needs PyTorch3D."""
from ...missing import missing_class

__all__ = ['MeshRasterizer', 'RasterizationSettings']

MeshRasterizer = missing_class(
    'pytorch3d.renderer.mesh.rasterizer.MeshRasterizer')
RasterizationSettings = missing_class(
    'pytorch3d.renderer.mesh.rasterizer.RasterizationSettings')
