"""Data sets of people, and what turns their entries into model inputs."""

from mmd2a.datasets.body_dataset import BodyDataset
from mmd2a.datasets.coco_body_dataset import CocoBodyDataset
from mmd2a.datasets.errors import BadSampleError
from mmd2a.datasets.human_data import (
    HumanDataDataset,
    HumanDataStore,
    open_human_data,
)
from mmd2a.datasets.keypoint_metainfo import JOINT_SET_KEYS
from mmd2a.datasets.synthetic_people import SyntheticPeople

__all__ = [
    'JOINT_SET_KEYS',
    'BadSampleError',
    'BodyDataset',
    'CocoBodyDataset',
    'HumanDataDataset',
    'HumanDataStore',
    'SyntheticPeople',
    'open_human_data',
]
