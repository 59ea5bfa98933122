"""From collated samples to model inputs."""

from mmd2a.models.data_preprocessors.body_data_preprocessor import (
    BodyDataPreprocessor,
)
from mmd2a.models.data_preprocessors.rgbd_data_preprocessor import (
    RGBDDataPreprocessor,
)

__all__ = ['BodyDataPreprocessor', 'RGBDDataPreprocessor']
