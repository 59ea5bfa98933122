"""Data containers shared by every floor of the package."""

from mmd2a.structures.body_data_sample import BodyDataSample
from mmd2a.structures.rgbd_features import RGBDFeatures

__all__ = ['BodyDataSample', 'RGBDFeatures']
