"""From the files of a sample to the inputs of a model."""

from mmd2a.datasets.transforms.degrade_depth import DegradeDepth
from mmd2a.datasets.transforms.degrade_image import DegradeImage
from mmd2a.datasets.transforms.displace_labels import DisplaceLabels
from mmd2a.datasets.transforms.load_frame import LoadFrame
from mmd2a.datasets.transforms.pack_body_sample import PackBodySample
from mmd2a.datasets.transforms.person_crop import PersonCrop
from mmd2a.datasets.transforms.photometric_jitter import PhotometricJitter
from mmd2a.datasets.transforms.random_occlusion import RandomOcclusion

__all__ = [
    'DegradeDepth',
    'DegradeImage',
    'DisplaceLabels',
    'LoadFrame',
    'PackBodySample',
    'PersonCrop',
    'PhotometricJitter',
    'RandomOcclusion',
]
