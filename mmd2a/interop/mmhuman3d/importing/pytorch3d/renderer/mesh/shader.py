"""Shaders: they need PyTorch3D."""

from mmd2a.interop.mmhuman3d.importing.pytorch3d.missing import missing_class

__all__ = [
    'HardFlatShader',
    'HardGouraudShader',
    'HardPhongShader',
    'SoftGouraudShader',
    'SoftPhongShader',
    'SoftSilhouetteShader',
]

HardFlatShader = missing_class('pytorch3d.renderer.mesh.shader.HardFlatShader')
HardGouraudShader = missing_class(
    'pytorch3d.renderer.mesh.shader.HardGouraudShader'
)
HardPhongShader = missing_class(
    'pytorch3d.renderer.mesh.shader.HardPhongShader'
)
SoftGouraudShader = missing_class(
    'pytorch3d.renderer.mesh.shader.SoftGouraudShader'
)
SoftPhongShader = missing_class(
    'pytorch3d.renderer.mesh.shader.SoftPhongShader'
)
SoftSilhouetteShader = missing_class(
    'pytorch3d.renderer.mesh.shader.SoftSilhouetteShader'
)
