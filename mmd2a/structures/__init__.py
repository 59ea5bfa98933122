"""Data containers shared by every floor of the package."""

from mmd2a.structures.body_data_sample import BodyDataSample
from mmd2a.structures.localized_joints import LocalizedJoints
from mmd2a.structures.rgbd_features import RGBDFeatures
from mmd2a.structures.token_map import TokenMap, missing_as_nobodys

__all__ = [
    'BodyDataSample',
    'LocalizedJoints',
    'RGBDFeatures',
    'TokenMap',
    'missing_as_nobodys',
]
