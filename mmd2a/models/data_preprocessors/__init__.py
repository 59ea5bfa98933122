"""From collated samples to model inputs."""

from mmd2a.models.data_preprocessors.body_data_preprocessor import (
    BodyDataPreprocessor,
)

__all__ = ['BodyDataPreprocessor']
