"""Fields: an image as density and features in space, and pictures of it."""

from mmd2a.models.fields.depth_seed import DepthSeed
from mmd2a.models.fields.feature_field import FeatureField
from mmd2a.models.fields.volume_renderer import Rendering, View, VolumeRenderer
from mmd2a.models.fields.yaw import UniformYaw

__all__ = [
    'DepthSeed',
    'FeatureField',
    'Rendering',
    'UniformYaw',
    'View',
    'VolumeRenderer',
]
