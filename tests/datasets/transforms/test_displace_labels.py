"""Displaced labels are those of one person, who stands elsewhere."""

import functools

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from mmd2a.datasets.transforms import DisplaceLabels, PackBodySample

K = np.array([[150.0, 0, 48], [0, 150.0, 48], [0, 0, 1]])
BODY = ('global_orient', 'body_pose', 'betas', 'transl')


def posed_joints(body, labels):
    """Joints (14, 3) of the body that labels describe."""
    vertices = body(
        *(torch.tensor(labels[key])[None].float() for key in BODY)
    ).vertices
    return body.regress_joints(vertices, 'h36m14')[0].double().numpy()


def project(points):
    image = points @ K.T
    return image[:, :2] / image[:, 2:]


@pytest.fixture(scope='module')
def sample(body):
    rng = np.random.default_rng(0)
    pose = rng.normal(0, 0.3, (24, 3))
    pose[0] = [np.pi - 0.2, 0.3, 0.1]
    labels = dict(
        global_orient=pose[0],
        body_pose=pose[1:].reshape(-1),
        betas=rng.normal(size=10),
        transl=np.array([0.2, 0.1, 4.0]),
    )
    joints = posed_joints(body, labels)
    return dict(
        labels,
        img=np.zeros((96, 96, 3), np.uint8),
        K=K,
        keypoints3d=joints,
        # As annotators have them: not exactly where joints project.
        keypoints2d=project(joints) + rng.normal(size=(14, 2)),
        keypoints3d_weight=np.ones(14),
        keypoints2d_weight=np.ones(14),
        smpl_weight=1.0,
        joint_set='h36m14',
    )


@functools.cache
def transform(share, **kwargs):
    return DisplaceLabels(share, **kwargs)


def run(sample, seed=0, share=1.0, **kwargs):
    np.random.seed(seed)  # noqa: NPY002
    return transform(share, **kwargs)(dict(sample))


@pytest.mark.parametrize('seed', range(4))
def test_joints_body_and_image_tell_of_the_same_person(sample, body, seed):
    out = run(sample, seed)
    joints = out['keypoints3d']
    assert np.abs(joints - sample['keypoints3d']).max() > 0.02
    np.testing.assert_allclose(posed_joints(body, out), joints, atol=1e-5)
    # As far from the projection as before.
    np.testing.assert_allclose(
        out['keypoints2d'] - project(joints),
        sample['keypoints2d'] - project(sample['keypoints3d']),
        atol=1e-9,
    )
    assert (out['keypoints2d_weight'] == 1).all()


def test_the_motion_is_rigid_and_has_its_size(sample):
    middle = sample['keypoints3d'].mean(0)
    offsets, angles = [], []
    for seed in range(200):
        out = run(sample, seed, offset=0.1, rotation=60)
        joints = out['keypoints3d']
        np.testing.assert_allclose(
            pdist(joints), pdist(sample['keypoints3d']), atol=1e-9
        )
        offsets.append(joints.mean(0) - middle)
        old, new = (x - x.mean(0) for x in (sample['keypoints3d'], joints))
        left, _, right = np.linalg.svd(old.T @ new)
        trace = np.trace(
            left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right
        )
        angles.append(np.rad2deg(np.arccos(np.clip((trace - 1) / 2, -1, 1))))
    assert np.std(offsets) == pytest.approx(0.1, rel=0.1)
    assert max(angles) <= 60 + 1e-3
    assert np.mean(angles) == pytest.approx(30, rel=0.15)


def test_pose_shape_and_pictures_stay(sample):
    out = run(sample)
    for key in ('body_pose', 'betas', 'K', 'img', 'smpl_weight'):
        np.testing.assert_array_equal(out[key], sample[key])


def test_as_many_as_it_says_and_as_numpy_is_seeded(sample):
    before = {k: np.array(v) for k, v in sample.items()}
    moved = [
        (run(sample, seed, share=0.3)['transl'] != sample['transl']).any()
        for seed in range(300)
    ]
    assert np.mean(moved) == pytest.approx(0.3, abs=0.06)
    first, again = run(sample, 7), run(sample, 7)
    np.testing.assert_array_equal(first['transl'], again['transl'])
    assert all((np.array(v) == before[k]).all() for k, v in sample.items())


def test_nobody_is_displaced_in_testing(sample):
    tested = dict(sample, test_mode=True, sample_idx=3)
    assert all(run(tested)[key] is tested[key] for key in tested)
    assert run(sample, share=0.0)['transl'] is sample['transl']


def test_what_is_not_known_in_space_is_not_known_in_the_image(sample):
    """A joint that went who knows where supervises nothing."""
    weight = np.ones(14)
    weight[[0, 5]] = 0
    out = run(dict(sample, keypoints3d_weight=weight))
    np.testing.assert_array_equal(out['keypoints2d_weight'], weight)
    for absent in ('K', 'keypoints3d'):
        part = {k: v for k, v in sample.items() if k != absent}
        assert not run(part)['keypoints2d_weight'].any()


@pytest.mark.parametrize(
    'kept',
    [
        ('keypoints3d', 'keypoints3d_weight'),
        ('keypoints2d', 'keypoints2d_weight', 'K'),
        (*BODY, 'smpl_weight'),
        ('global_orient', 'smpl_weight'),
        (),
    ],
)
def test_any_labels_do(sample, kept, body):
    part = {k: sample[k] for k in (*kept, 'img', 'joint_set')}
    out = run(part)
    assert set(out) == set(part)
    if 'transl' in kept:
        moved = posed_joints(body, out)
        np.testing.assert_allclose(
            pdist(moved), pdist(sample['keypoints3d']), atol=1e-5
        )
    packed = PackBodySample()(out)['data_samples'].gt
    assert all(value.isfinite().all() for value in packed.values())


@pytest.mark.parametrize(
    ('kwargs', 'name'),
    [
        (dict(share=1.2), 'share'),
        (dict(offset=-1), 'offset'),
        (dict(rotation=270), 'rotation'),
    ],
)
def test_settings_that_cannot_be_meant_are_named(kwargs, name):
    with pytest.raises(ValueError, match=name):
        DisplaceLabels(**kwargs)
