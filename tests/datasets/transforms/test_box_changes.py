"""Crops of half a person and of a detector's box keep true labels."""

import numpy as np
import pytest

from mmd2a.body_models.joint_sets import joint_names
from mmd2a.datasets.transforms import PersonCrop
from mmd2a.datasets.transforms.box_changes import upper_body_box

NAMES = joint_names('h36m14')


@pytest.fixture
def sample():
    """A standing person: joints by their height."""
    heights = dict(
        ankle=190, knee=150, hip=110, wrist=105, elbow=80, shoulder=50, neck=45
    )
    points = np.array(
        [
            [
                60 + 20 * ('left' in name) - 20 * ('right' in name),
                next((y for k, y in heights.items() if k in name), 25),
            ]
            for name in NAMES
        ],
        float,
    )
    K = np.array([[300.0, 0, 60], [0, 300, 100], [0, 0, 1]])
    rays = (points - K[:2, 2]) / 300
    depth = 3 + 0.1 * np.arange(len(points))
    return dict(
        img=np.zeros((220, 120, 3), np.uint8),
        bbox=np.array([30.0, 20, 90, 200]),
        joint_set='h36m14',
        keypoints2d=points,
        keypoints3d=np.column_stack([rays, np.ones(len(rays))])
        * depth[:, None],
        K=K,
    )


def crop(sample, seed=0, **kwargs):
    np.random.seed(seed)  # noqa: NPY002
    return PersonCrop(size=100, **kwargs)(dict(sample))


def inside(out, part):
    on = np.array([part in name for name in NAMES])
    points = out['keypoints2d'][on]
    return ((points >= -0.5) & (points <= 99.5)).all(1)


def test_truncation_cuts_legs_and_keeps_the_upper_body(sample):
    outs = [
        crop(sample, seed, truncation_prob=1.0, padding=1.1)
        for seed in range(40)
    ]
    for part in ('hip', 'wrist', 'shoulder', 'neck'):
        assert all(inside(out, part).all() for out in outs)
    ankles = [inside(out, 'ankle').any() for out in outs]
    knees = [inside(out, 'knee').any() for out in outs]
    # Somewhere between the hips and the soles, never at one place alone.
    assert 0 < np.sum(ankles) < np.sum(knees) < len(outs)


@pytest.mark.parametrize('prob', [0.0, 0.4])
def test_truncation_comes_as_often_as_it_says(sample, prob):
    whole = crop(sample)['crop_matrix']
    cut = [
        (crop(sample, i, truncation_prob=prob)['crop_matrix'] != whole).any()
        for i in range(200)
    ]
    assert abs(np.mean(cut) - prob) < 0.1


def test_labels_stay_those_of_the_crop(sample):
    for seed in range(5):
        out = crop(
            sample,
            seed,
            truncation_prob=1.0,
            box_jitter=0.1,
            rotation=30,
            flip_prob=0.5,
        )
        pixels = out['keypoints3d'] @ out['K'].T
        np.testing.assert_allclose(
            pixels[:, :2] / pixels[:, 2:], out['keypoints2d'], atol=1e-6
        )
        assert (out['bbox'] == sample['bbox']).all()


def test_some_pictures_turn_by_any_angle(sample):
    turns = [
        crop(sample, i, rotation=10, turn_prob=0.3)['rotation']
        for i in range(300)
    ]
    far = np.abs(np.rad2deg(turns)) > 10
    assert abs(far.mean() - 0.3 * 170 / 180) < 0.08
    assert np.abs(turns).max() > np.deg2rad(150)
    # The others turn as they do without the option.
    alone = [crop(sample, i, rotation=10)['rotation'] for i in range(300)]
    assert abs(np.mean(np.array(turns) == alone) - 0.7) < 0.08


def test_edges_of_the_box_err_one_by_one(sample):
    # The window of a tall box is as high as its height says, and lies where
    # the middle of its edges is: both vary, and not together.
    plain = crop(sample)['crop_matrix']
    scale, centre = [], []
    for seed in range(300):
        matrix = crop(sample, seed, box_jitter=0.05)['crop_matrix']
        scale.append(plain[0, 0] / matrix[0, 0] - 1)
        y = (49.5 - matrix[1, 2]) / matrix[1, 1]
        centre.append((y - (49.5 - plain[1, 2]) / plain[1, 1]) / 180)
    # Height: the difference of two edges; middle: half of their sum.
    assert np.std(scale) == pytest.approx(0.05 * 2**0.5, rel=0.15)
    assert np.std(centre) == pytest.approx(0.05 / 2**0.5, rel=0.15)
    assert abs(np.corrcoef(scale, centre)[0, 1]) < 0.2


def test_who_has_too_few_joints_stays_whole(sample):
    box, few = sample['bbox'], np.zeros(14)
    few[[NAMES.index('head_top'), NAMES.index('neck')]] = 1
    for labels, joint_set in (
        (dict(), 'h36m14'),
        (dict(keypoints2d=sample['keypoints2d']), None),
        (
            dict(keypoints2d=sample['keypoints2d'], keypoints2d_weight=few),
            'h36m14',
        ),
        (dict(keypoints2d=sample['keypoints2d'] + 1000), 'h36m14'),
    ):
        assert (upper_body_box(box, labels, joint_set, 0.0) == box).all()


@pytest.mark.parametrize(
    'name', ['box_jitter', 'truncation_prob', 'turn_prob']
)
def test_settings_that_cannot_be_meant_are_named(name):
    with pytest.raises(ValueError, match=name):
        PersonCrop(size=10, **{name: 1.5})
