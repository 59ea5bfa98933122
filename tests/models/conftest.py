"""Labelled people whose labels agree."""

import math

import pytest
import torch
from mmengine.structures import BaseDataElement

from mmd2a.geometry import normalize_keypoints2d, project_points
from mmd2a.structures import BodyDataSample

SIZE = 64
K = torch.tensor([[120.0, 0, 31.5], [0, 120.0, 31.5], [0, 0, 1]])


@pytest.fixture(scope='session')
def camera():
    """Intrinsics of their crop, and its side in pixels."""
    return K, SIZE


@pytest.fixture(scope='session')
def make_sample():
    """``make_sample(body, seed)``: a person before that camera."""
    return _make_sample


def _make_sample(body, seed=0, joint_set='h36m14', num_betas=10, **changes):
    """A person seen by a camera, every label consistent."""
    generator = torch.Generator().manual_seed(seed)
    pose = 0.3 * torch.randn(72, generator=generator)
    pose[0] += math.pi
    betas = torch.randn(num_betas, generator=generator)
    known = torch.zeros(1, max(num_betas, body.num_betas))
    known[0, :num_betas] = betas
    transl = torch.tensor([[0.1, 0.2, 4.0]])
    mesh = body(
        pose[None, :3], pose[None, 3:], known[:, : body.num_betas], transl
    ).vertices
    joints = body.regress_joints(mesh, joint_set)[0]
    ones = torch.ones(len(joints))
    gt = dict(
        global_orient=pose[:3],
        body_pose=pose[3:],
        betas=betas,
        transl=transl[0],
        smpl_weight=torch.tensor(1.0),
        keypoints3d=joints,
        keypoints3d_weight=ones,
        keypoints2d=normalize_keypoints2d(
            project_points(joints, K), (SIZE, SIZE)
        ),
        keypoints2d_weight=ones,
        mask=torch.ones(1, SIZE, SIZE),
        mask_weight=torch.tensor(1.0),
        K=K,
    )
    meta = dict(sample_idx=seed, joint_set=joint_set, img_path=f'{seed}.jpg')
    sample = BodyDataSample(metainfo=meta)
    sample.gt = BaseDataElement(**{**gt, **changes})
    return sample
