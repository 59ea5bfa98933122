"""From the files of a sample to the inputs of a model."""

from mmd2a.datasets.transforms.degrade_depth import DegradeDepth
from mmd2a.datasets.transforms.facing_label import FacingLabel
from mmd2a.datasets.transforms.load_frame import LoadFrame
from mmd2a.datasets.transforms.normalize_rgbd import NormalizeRGBD
from mmd2a.datasets.transforms.pack_body_sample import PackBodySample
from mmd2a.datasets.transforms.person_crop import PersonCrop
from mmd2a.datasets.transforms.person_to_instance import PersonToInstance
from mmd2a.datasets.transforms.person_to_keypoints import PersonToKeypoints
from mmd2a.datasets.transforms.photometric_jitter import PhotometricJitter
from mmd2a.datasets.transforms.stack_depth import StackDepth

__all__ = [
    'DegradeDepth',
    'FacingLabel',
    'LoadFrame',
    'NormalizeRGBD',
    'PackBodySample',
    'PersonCrop',
    'PersonToInstance',
    'PersonToKeypoints',
    'PhotometricJitter',
    'StackDepth',
]
