"""What is flipped and warped stays one person: all targets move together."""

import numpy as np
import pytest
import torch

from mmd2a.body_models import JOINT_SETS, joint_names
from mmd2a.datasets.transforms import PackBodySample, PersonCrop
from mmd2a.geometry.cameras import project_points
from mmd2a.geometry.rasterization import rasterize_depth

SIZE = 96
K = np.array([[140.0, 0, 47], [0, 140.0, 49], [0, 0, 1]])
SMPL = ('global_orient', 'body_pose', 'betas', 'transl')
SETS = [*JOINT_SETS, 'h36m14+coco17+smpl24']


def project(points, camera):
    return project_points(
        torch.as_tensor(points), torch.as_tensor(camera)
    ).numpy()


def vertices_of(labels, body):
    return (
        body(*(torch.tensor(labels[k])[None].float() for k in SMPL))
        .vertices[0]
        .double()
        .numpy()
    )


@pytest.fixture(scope='module')
def person(body):
    """A rendered person: body parameters, mask and depth agree."""
    rng = np.random.default_rng(3)
    pose = rng.normal(0, 0.25, (24, 3))
    pose[0] = [np.pi - 0.2, 0.3, 0.1]
    labels = dict(
        global_orient=pose[0],
        body_pose=pose[1:].reshape(-1),
        betas=rng.normal(size=10),
        transl=np.array([0.1, 0.1, 3.4]),
    )
    vertices = vertices_of(labels, body)
    depth = rasterize_depth(vertices, body.faces, K, (SIZE, SIZE))
    seen = np.isfinite(depth)
    pixels = project(vertices, K)
    joints = body.regress_joints(torch.tensor(vertices)[None], 'h36m14')[0]
    return dict(
        labels,
        img=rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8),
        depth=np.where(seen, depth, np.nan).astype(np.float32),
        mask=np.where(seen, 255, 0).astype(np.uint8),
        K=K,
        bbox=np.concatenate([pixels.min(0), pixels.max(0)]),
        smpl_weight=1.0,
        joint_set='h36m14',
        keypoints3d=joints.double().numpy(),
        keypoints2d=project(joints.double(), K),
    )


def with_joints(person, joint_set):
    """Give a person any joints of a set, each with labels of its own."""
    rng = np.random.default_rng(0)
    number = len(joint_names(joint_set))
    points = rng.normal(0, 0.4, (number, 3)) + [0, 0, 3]
    return dict(
        person,
        joint_set=joint_set,
        keypoints3d=points,
        keypoints2d=project(points, K),
        keypoints3d_weight=rng.uniform(0.1, 1, number),
        keypoints2d_weight=rng.uniform(0.1, 1, number),
        keypoints2d_visibility=rng.integers(0, 3, number),
    )


# The picture itself, so that pixels move to places of pixels.
WHOLE = dict(size=SIZE, padding=SIZE / (SIZE - 1))
BOX = np.array([0, 0, SIZE - 1.0, SIZE - 1.0])


@pytest.mark.parametrize('joint_set', SETS)
def test_two_flips_are_the_identity_on_all_targets(person, joint_set):
    sample = {**with_joints(person, joint_set), 'bbox': BOX}
    plain = PersonCrop(**WHOLE)({**sample})
    flip = PersonCrop(**WHOLE, flip_prob=1.0)
    once = flip({**sample})
    twice = flip({**once, 'bbox': BOX})
    moved = (*SMPL[:2], 'transl', 'keypoints2d', 'keypoints3d', 'mask', 'img')
    same = (*moved, 'betas', 'depth', 'K', 'keypoints2d_weight')
    same += ('keypoints3d_weight', 'keypoints2d_visibility')
    for key in same:
        np.testing.assert_allclose(
            twice[key], plain[key], atol=1e-9, err_msg=key
        )
    for key in moved:
        assert not np.allclose(once[key], plain[key]), key


@pytest.mark.parametrize('joint_set', SETS)
def test_a_flip_swaps_names_of_left_and_right(person, joint_set):
    sample = {**with_joints(person, joint_set), 'bbox': BOX}
    once = PersonCrop(**WHOLE, flip_prob=1.0)({**sample})
    names = joint_names(joint_set)
    for i, name in enumerate(names):
        other = name
        if name.startswith('left_'):
            other = 'right_' + name[5:]
        elif name.startswith('right_'):
            other = 'left_' + name[6:]
        twin = names.index(other)
        np.testing.assert_allclose(
            once['keypoints3d'][i],
            sample['keypoints3d'][twin] * [-1, 1, 1],
            atol=1e-12,
        )
        weight = sample['keypoints2d_weight'][twin]
        assert once['keypoints2d_weight'][i] == weight


@pytest.mark.parametrize('seed', range(12))
def test_a_warped_person_is_one_person(person, body, seed):
    np.random.seed(seed)  # noqa: NPY002
    crop = PersonCrop(
        80,
        scale_jitter=0.3,
        shift_jitter=0.1,
        rotation=60,
        flip_prob=0.5,
        box_jitter=0.05,
    )
    out = crop({**person})
    pixels = project(out['keypoints3d'], out['K'])
    assert np.abs(pixels - out['keypoints2d']).max() <= 0.5
    vertices = vertices_of(out, body)
    joints = body.regress_joints(torch.tensor(vertices)[None], 'h36m14')[0]
    # The template is not quite symmetric: 5 mm of a mirrored body.
    limit = 5e-3 * out['K'][0, 0] / 2.5 if out['flip'] else 1e-3
    error = project(joints.double(), out['K']) - out['keypoints2d']
    assert np.abs(error).max() <= max(limit, 0.01)
    assert np.abs(error).max() <= 0.5

    rendered = rasterize_depth(vertices, body.faces, out['K'], (80, 80))
    seen, mask = np.isfinite(rendered), out['mask'] > 0
    assert mask.sum() > 100
    # Nearest pixels of a figure some pixels wide: its edge differs.
    assert (seen & mask).sum() / (seen | mask).sum() > 0.85
    both = seen & np.isfinite(out['depth'])
    error = np.abs(rendered[both] - out['depth'][both])
    assert np.median(error) < 0.01 and (error < 0.05).mean() > 0.9
    np.testing.assert_array_equal(np.isfinite(out['depth']), mask)


@pytest.mark.parametrize('seed', range(4))
def test_the_packed_targets_agree_too(person, seed):
    np.random.seed(seed)  # noqa: NPY002
    crop = PersonCrop(80, rotation=45, flip_prob=0.5, scale_jitter=0.2)
    packed = PackBodySample(joint_set='h36m14+coco17')(crop({**person}))
    gt = packed['data_samples'].gt
    known = gt.keypoints3d_weight > 0
    assert known.sum() == 14
    pixels = (project(gt.keypoints3d[known], gt.K) * 2 + 1) / 80 - 1
    error = np.abs(pixels - gt.keypoints2d[known].numpy()).max() * 40
    assert error <= 0.5
