"""Lights: they need PyTorch3D."""

from mmd2a.interop.mmhuman3d.importing.pytorch3d.missing import missing_class

__all__ = ['AmbientLights', 'DirectionalLights', 'PointLights']

AmbientLights = missing_class('pytorch3d.renderer.lighting.AmbientLights')
DirectionalLights = missing_class(
    'pytorch3d.renderer.lighting.DirectionalLights'
)
PointLights = missing_class('pytorch3d.renderer.lighting.PointLights')
