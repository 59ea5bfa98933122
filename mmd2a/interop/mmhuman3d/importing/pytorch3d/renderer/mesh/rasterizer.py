"""Rasterisation of meshes: it needs PyTorch3D."""

from mmd2a.interop.mmhuman3d.importing.pytorch3d.missing import missing_class

__all__ = ['MeshRasterizer', 'RasterizationSettings']

MeshRasterizer = missing_class(
    'pytorch3d.renderer.mesh.rasterizer.MeshRasterizer'
)
RasterizationSettings = missing_class(
    'pytorch3d.renderer.mesh.rasterizer.RasterizationSettings'
)
