"""Fields: an image as density and features in space, and pictures of it."""

from mmd2a.models.fields.feature_field import FeatureField
from mmd2a.models.fields.volume_renderer import Rendering, View, VolumeRenderer

__all__ = ['FeatureField', 'Rendering', 'View', 'VolumeRenderer']
