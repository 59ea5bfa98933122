# Pure-Python twin of configs/_base_/datasets/synthetic_people_96.py.
# Embedded people, small crops: what a CPU learns from in minutes. People are
# read in the training process (num_workers=0): with one process per core there
# is no core left for a reader. With a GPU, give it readers.
from mmengine.dataset import DefaultSampler

from mmd2a.datasets import SyntheticPeople
from mmd2a.datasets.transforms import (
    DegradeDepth,
    LoadFrame,
    PackBodySample,
    PersonCrop,
    PhotometricJitter,
)
from mmd2a.engine import init_worker
from mmd2a.evaluation import MeshMetric

data_root = 'data/synthetic_people'
image_size = 160
joint_set = 'h36m14'

train_pipeline = [
    dict(type=LoadFrame),
    dict(
        type=PersonCrop,
        size=96,
        scale_jitter=.15,
        shift_jitter=.06,
        flip_prob=.5),
    dict(type=PhotometricJitter),
    dict(type=DegradeDepth),
    dict(type=PackBodySample),
]
test_pipeline = [
    dict(type=LoadFrame),
    dict(type=PersonCrop, size=96),
    dict(type=DegradeDepth),
    dict(type=PackBodySample),
]

train_dataloader = dict(
    batch_size=24,  # per process
    num_workers=0,
    worker_init_fn=dict(type=init_worker),
    drop_last=True,
    sampler=dict(type=DefaultSampler, shuffle=True),
    dataset=dict(
        type=SyntheticPeople,
        data_root=data_root,
        split='train',
        num_people=6000,
        image_size=image_size,
        joint_set=joint_set,
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=48,
    num_workers=0,
    persistent_workers=False,
    worker_init_fn=dict(type=init_worker),
    drop_last=False,
    sampler=dict(type=DefaultSampler, shuffle=False),
    dataset=dict(
        type=SyntheticPeople,
        data_root=data_root,
        split='val',
        num_people=200,
        image_size=image_size,
        joint_set=joint_set,
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = dict(
    batch_size=48,
    num_workers=0,
    persistent_workers=False,
    worker_init_fn=dict(type=init_worker),
    drop_last=False,
    sampler=dict(type=DefaultSampler, shuffle=False),
    dataset=dict(
        type=SyntheticPeople,
        data_root=data_root,
        split='test',
        num_people=600,
        image_size=image_size,
        joint_set=joint_set,
        test_mode=True,
        pipeline=test_pipeline))

val_evaluator = dict(
    type=MeshMetric, protocols=('synthetic_h36m14', ))
test_evaluator = val_evaluator
