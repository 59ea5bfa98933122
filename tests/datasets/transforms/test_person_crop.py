"""One affine moves pixels, camera and labels together.

Over 350 lines: one transform moves ten kinds of labels.
"""

import cv2
import numpy as np
import pytest
import torch

from mmd2a.body_models import flip_pairs
from mmd2a.datasets import BadSampleError
from mmd2a.datasets.transforms import PersonCrop
from mmd2a.geometry.cameras import project_points

H, W = 120, 160
JITTERS = [
    dict(),
    dict(scale_jitter=0.3, shift_jitter=0.1),
    dict(rotation=180),
    dict(flip_prob=1.0),
    dict(scale_jitter=0.3, shift_jitter=0.1, rotation=45, flip_prob=1.0),
]


@pytest.fixture(scope='module')
def sample(body):
    """A posed body with all labels and an image of noise."""
    rng = np.random.default_rng(0)
    pose = rng.normal(0, 0.3, (24, 3))
    pose[0] = [np.pi - 0.2, 0.3, 0.1]
    labels = dict(
        global_orient=pose[0],
        body_pose=pose[1:].reshape(-1),
        betas=rng.normal(size=10),
        transl=np.array([0.2, 0.1, 4.0]),
    )
    vertices = body(
        *(
            torch.tensor(labels[key])[None].float()
            for key in ('global_orient', 'body_pose', 'betas', 'transl')
        )
    ).vertices
    joints = body.regress_joints(vertices, 'h36m14')[0].double().numpy()
    K = np.array([[150.0, 0, 83], [0, 150.0, 55], [0, 0, 1]])
    pixels = project(joints, K)
    low, high = pixels.min(0), pixels.max(0)
    return dict(
        labels,
        img=rng.integers(0, 256, (H, W, 3), np.uint8),
        depth=rng.uniform(1, 5, (H, W)).astype(np.float32),
        mask=rng.choice(np.array([0, 128, 255], np.uint8), (H, W)),
        K=K,
        bbox=np.concatenate([low, high]),
        keypoints3d=joints,
        keypoints2d=pixels,
        keypoints3d_weight=np.ones(14),
        keypoints2d_weight=np.ones(14),
        smpl_weight=1.0,
        joint_set='h36m14',
    )


def project(points, K):
    return project_points(torch.tensor(points), torch.tensor(K)).numpy()


def without(sample, *keys):
    return {key: sample[key] for key in sample if key not in keys}


def run(sample, size=64, seed=0, **kwargs):
    np.random.seed(seed)  # noqa: NPY002
    return PersonCrop(size, **kwargs)({**sample})


@pytest.mark.parametrize('jitter', JITTERS)
def test_the_cropped_camera_projects_cropped_joints_exactly(sample, jitter):
    for seed in range(5):
        out = run(sample, seed=seed, **jitter)
        np.testing.assert_allclose(
            project(out['keypoints3d'], out['K']),
            out['keypoints2d'],
            atol=1e-9,
        )


def test_the_projection_is_exact_for_oblong_pixels_too(sample):
    K = np.diag([150.0, 130.0, 1.0]) + np.array(
        [[0, 2, 80], [0, 0, 60], [0, 0, 0]]
    )
    sample = {
        **sample,
        'K': K,
        'keypoints2d': project(sample['keypoints3d'], K),
    }
    out = run(sample, rotation=60, flip_prob=1.0)
    np.testing.assert_allclose(
        project(out['keypoints3d'], out['K']), out['keypoints2d'], atol=1e-9
    )


def test_depth_does_not_change_by_turning_or_mirroring(sample):
    out = run(sample, rotation=90, flip_prob=1.0)
    order = np.arange(14)
    for left, right in flip_pairs('h36m14'):
        order[[left, right]] = right, left
    np.testing.assert_allclose(
        out['keypoints3d'][:, 2], sample['keypoints3d'][order, 2], atol=1e-12
    )


@pytest.mark.parametrize(
    'jitter, tolerance',
    [
        (dict(rotation=180), 1e-5),
        # The body's template is not quite symmetric.
        (dict(flip_prob=1.0), 5e-3),
        (dict(rotation=45, flip_prob=1.0), 5e-3),
    ],
)
def test_body_parameters_pose_the_body_where_the_joints_are(
    sample, body, jitter, tolerance
):
    out = run(sample, **jitter)
    vertices = body(
        *(
            torch.tensor(out[key])[None].float()
            for key in ('global_orient', 'body_pose', 'betas', 'transl')
        )
    ).vertices
    joints = body.regress_joints(vertices, 'h36m14')[0].numpy()
    np.testing.assert_allclose(joints, out['keypoints3d'], atol=tolerance)


def test_mirroring_twice_changes_nothing(sample):
    once = run(sample, flip_prob=1.0)
    box = np.array([0, 0, 63.0, 63.0])
    twice = PersonCrop(64, padding=64 / 63, flip_prob=1.0)(
        {**once, 'bbox': box}
    )
    plain = run(sample)
    for key in (
        'keypoints2d',
        'keypoints3d',
        'global_orient',
        'body_pose',
        'transl',
        'K',
        'keypoints3d_weight',
    ):
        np.testing.assert_allclose(
            twice[key], plain[key], atol=1e-9, err_msg=key
        )
    assert np.abs(twice['img'].astype(int) - plain['img']).max() <= 2
    assert (twice['mask'] == plain['mask']).mean() > 0.99


def test_mirroring_swaps_weights_with_their_joints(sample):
    weight = np.zeros(14)
    weight[0] = 1  # right ankle
    out = run({**sample, 'keypoints3d_weight': weight}, flip_prob=1.0)
    assert out['keypoints3d_weight'].nonzero()[0].tolist() == [5]


def test_an_image_moves_like_its_keypoints(sample):
    """A disc's centre of light lands where a joint on it lands."""
    for seed in range(8):
        image = np.zeros((H, W, 3), np.uint8)
        cv2.circle(image, (91, 63), 9, (255, 255, 255), -1)
        points = np.repeat([[91.0, 63.0]], 14, 0)
        out = run(
            {
                **sample,
                'img': image,
                'keypoints2d': points,
                'bbox': np.array([65, 40, 117, 86.0]),
            },
            seed=seed,
            scale_jitter=0.2,
            rotation=90,
            flip_prob=0.5,
        )
        light = out['img'][..., 0].astype(float)
        y, x = np.mgrid[:64, :64]
        centre = [(light * x).sum(), (light * y).sum()] / light.sum()
        np.testing.assert_allclose(centre, out['keypoints2d'][0], atol=0.1)


def test_every_depth_and_mask_pixel_is_the_nearest_one(sample):
    """Each pixel says where it is from: never more than half a pixel off."""
    levels = np.array([0, 128, 255], np.uint8)
    number = np.arange(H * W).reshape(H, W)
    for seed in range(8):
        out = run(
            {
                **sample,
                'depth': number.astype(np.float32) + 1,
                'mask': levels[number % 3],
                'bbox': [5, 5, 130, 110],
            },
            seed=seed,
            scale_jitter=0.3,
            shift_jitter=0.2,
            rotation=180,
            flip_prob=0.5,
        )
        inside = np.isfinite(out['depth'])
        crop_pixels = np.argwhere(inside)[:, ::-1]
        source = out['depth'][inside].astype(int) - 1
        moved = np.stack([source % W, source // W], 1)
        matrix = out['crop_matrix']
        exact = (crop_pixels - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
        assert np.abs(moved - exact).max() <= 0.5 + 1e-3
        assert (out['mask'][inside] == levels[source % 3]).all()
        assert (out['mask'][~inside] == 0).all()


@pytest.mark.parametrize('shrink', [1.5, 2, 2.5, 3, 4.2, 7])
def test_shrinking_does_not_move_the_image(sample, shrink):
    """Averaging blocks of pixels must not shift by part of a block."""
    image = np.zeros((700, 700, 3), np.uint8)
    centre = np.array([333, 371])
    cv2.circle(image, tuple(centre.tolist()), int(12 * shrink), (255,) * 3, -1)
    box = np.concatenate([centre - 32 * shrink, centre + 32 * shrink])
    for seed in range(4):
        out = run(
            {'img': image, 'bbox': box},
            seed=seed,
            padding=1.0,
            shift_jitter=0.1,
            rotation=90,
            flip_prob=0.5,
        )
        light = out['img'][..., 0].astype(float)
        y, x = np.mgrid[:64, :64]
        found = [(light * x).sum(), (light * y).sum()] / light.sum()
        matrix = out['crop_matrix']
        np.testing.assert_allclose(
            found, matrix[:, :2] @ centre + matrix[:, 2], atol=0.05
        )


@pytest.mark.parametrize('shrink', [2, 3, 5, 8])
def test_shrinking_averages_pixels_and_keeps_their_place(sample, shrink):
    """No aliasing: fine stripes become grey; a coarse edge stays put."""
    size = 64 * shrink
    stripes = np.zeros((size, size, 3), np.uint8)
    stripes[:, ::2] = 255
    stripes[size // 2 :] = 0
    out = run(
        {'img': stripes, 'bbox': [-0.5, -0.5, size - 0.5, size - 0.5]},
        padding=1.0,
    )['img'].astype(float)
    assert np.abs(out[2:30, 2:-2] - 127.5).max() <= (
        1 if shrink % 2 == 0 else 50
    )
    assert out[34:].max() == 0
    # The edge between grey and black lies between the middle rows.
    assert abs(out[:, 10:50].mean((1, 2)).sum() / 127.5 - 32) < 0.6


def test_a_crop_of_the_box_itself_is_the_image(sample):
    out = run({**sample, 'bbox': [9.5, 9.5, 73.5, 73.5]}, padding=1.0)
    assert (out['img'] == sample['img'][10:74, 10:74]).all()
    assert (out['depth'] == sample['depth'][10:74, 10:74]).all()
    assert (out['mask'] == sample['mask'][10:74, 10:74]).all()
    assert out['crop_matrix'].tolist() == [[1, 0, -10], [0, 1, -10]]


def test_outside_the_image_is_black_unknown_and_background(sample):
    out = run({**sample, 'bbox': [-40, 10, 40, 90]})
    outside = out['crop_matrix'][0, 2] - 1
    columns = slice(0, int(outside))
    assert out['img'][:, columns].max() == 0
    assert np.isnan(out['depth'][:, columns]).all()
    assert out['mask'][:, columns].max() == 0


def test_unknown_depth_does_not_spread(sample):
    depth = np.full((H, W), 3.0, np.float32)
    depth[::2] = np.nan
    out = run({**sample, 'depth': depth}, rotation=30)['depth']
    assert set(np.unique(out[np.isfinite(out)])) == {3.0}


@pytest.mark.parametrize('size', [(96, 64), (64, 96), 64])
def test_the_window_holds_the_padded_box_in_the_aspect_of_the_crop(
    sample, size
):
    out = run({**sample, 'bbox': [40, 20, 80, 100]}, size=size, padding=1.0)
    height, width = out['img_shape']
    assert out['img'].shape[:2] == (height, width)
    matrix = out['crop_matrix']
    corners = np.array([[40, 20, 1], [80, 100, 1]]) @ matrix.T
    assert matrix[0, 0] == pytest.approx(matrix[1, 1])
    assert (corners >= -0.5 - 1e-9).all()
    assert (corners <= np.array([width, height]) - 0.5 + 1e-9).all()
    assert corners.mean(0) == pytest.approx(
        [(width - 1) / 2, (height - 1) / 2]
    )


def test_without_jitter_nothing_is_random(sample):
    first, second = run(sample, seed=1), run(sample, seed=2)
    assert (first['img'] == second['img']).all()
    assert (first['K'] == second['K']).all()


def test_jitter_stays_within_its_limits(sample):
    plain = run(sample)
    scale = plain['crop_matrix'][0, 0]
    turns = []
    transform = PersonCrop(64, scale_jitter=0.2, rotation=15)
    np.random.seed(0)  # noqa: NPY002
    for _ in range(40):
        out = transform({**sample})
        turns.append(out['rotation'])
        zoom = np.sqrt(abs(np.linalg.det(out['crop_matrix'][:, :2]))) / scale
        assert 1 / 1.2 <= zoom <= 1 / 0.8
    assert np.abs(turns).max() <= np.deg2rad(15) < 1.2 * np.abs(turns).max()


@pytest.mark.parametrize(
    'box',
    [
        [10, 10, 10, 50],
        [10, 10, 50, 10],
        [50, 10, 10, 40],
        [10, np.nan, 50, 50],
        [0, 0, np.inf, 50],
        [10, 10, 50],
        [500, 10, 600, 90],
        [-90, 10, -10, 90],
        [-1e9, -1e9, 1e9, 1e9],
        [10, 10, 10.2, 10.3],
        [10, 10, 10**400, 50],
        'box',
    ],
)
def test_an_unusable_box_is_refused(sample, box):
    with pytest.raises(BadSampleError, match='box') as error:
        run({**sample, 'bbox': box, 'img_path': 'a.jpg'})
    assert 'a.jpg' in str(error.value) and 'correct bbox' in str(error.value)


@pytest.mark.parametrize('key', ['keypoints2d', 'keypoints3d'])
@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_nan_keypoint_is_refused_unless_its_weight_is_zero(
    sample, key, value
):
    points = sample[key].copy()
    points[3, 1] = value
    bad = {**sample, key: points, 'img_path': 'a.jpg'}
    with pytest.raises(BadSampleError, match=rf'{key} at joints \[3\]'):
        run(bad)
    weight = np.ones(14)
    weight[3] = 0
    out = run({**bad, f'{key}_weight': weight}, rotation=30, flip_prob=1.0)
    assert np.isfinite(out[key]).all()
    assert out[f'{key}_weight'].sum() == 13


@pytest.mark.parametrize(
    'key', ['global_orient', 'body_pose', 'betas', 'transl']
)
def test_nan_body_parameters_are_refused_unless_unlabelled(sample, key):
    bad = {**sample, key: sample[key] * np.nan}
    with pytest.raises(BadSampleError, match=key):
        run(bad)
    assert np.isfinite(run({**bad, 'smpl_weight': 0.0}, rotation=9)[key]).all()


@pytest.mark.parametrize('weight', [-1.0, np.nan, np.inf])
def test_an_impossible_weight_is_refused(sample, weight):
    weights = np.ones(14)
    weights[2] = weight
    with pytest.raises(BadSampleError, match='keypoints2d_weight'):
        run({**sample, 'keypoints2d_weight': weights})


@pytest.mark.parametrize('jitter', JITTERS)
def test_visibility_stays_with_its_joint_and_ends_at_the_border(
    sample, jitter
):
    visibility = np.arange(14) % 3
    out = run(
        {
            **sample,
            'keypoints2d_visibility': visibility,
            'keypoints2d_weight': visibility + 1.0,
        },
        padding=0.8,
        **jitter,
    )
    inside = ((out['keypoints2d'] >= -0.5) & (out['keypoints2d'] <= 63.5)).all(
        1
    )
    assert 0 < inside.sum() < 14
    np.testing.assert_array_equal(
        out['keypoints2d_visibility'],
        np.where(inside, out['keypoints2d_weight'] - 1, 0),
    )


@pytest.mark.parametrize('flip_prob', [0.0, 1.0])
@pytest.mark.parametrize(
    'key, layout',
    [
        ('body_pose', lambda value: value.reshape(23, 3)),
        ('global_orient', lambda value: value[None].tolist()),
        ('betas', lambda value: value[None]),
        ('smpl_weight', lambda value: [1.0]),
        ('bbox', lambda value: [np.array(value).tolist()]),
        ('keypoints2d', lambda value: np.c_[value, np.ones(14)]),
        ('keypoints3d', lambda value: np.c_[value, np.ones(14)].tolist()),
        ('keypoints3d', lambda value: value.ravel()),
    ],
)
def test_a_layout_that_can_mean_one_thing_only_is_taken(
    sample, key, layout, flip_prob
):
    sample = without(sample, 'keypoints2d_weight', 'keypoints3d_weight')
    jitter = dict(rotation=20, flip_prob=flip_prob, seed=3)
    wanted = run(sample, **jitter)
    out = run({**sample, key: layout(sample[key])}, **jitter)
    for name, value in wanted.items():
        np.testing.assert_array_equal(out[name], value, err_msg=name)


@pytest.mark.parametrize('flip_prob', [0.0, 1.0])
@pytest.mark.parametrize(
    'key, value',
    [
        ('keypoints2d', np.ones((14, 4))),
        ('keypoints2d', np.ones((13, 2))),
        ('keypoints2d', [[1, 2]] * 13 + [[1]]),
        ('keypoints2d', 'text'),
        ('keypoints2d', {'x': 1}),
        ('keypoints3d', np.ones((14, 2))),
        ('keypoints3d', [[None, 0, 0]] * 14),
        ('keypoints3d', [[10**400, 0, 0]] * 14),
        ('keypoints2d_weight', np.ones(13)),
        ('keypoints3d_weight', np.ones((14, 3))),
        ('keypoints2d_visibility', np.ones((14, 2))),
        ('body_pose', np.zeros((24, 3))),
        ('body_pose', np.zeros(66)),
        ('body_pose', np.zeros((23, 3, 3))),
        ('global_orient', np.eye(3)),
        ('betas', np.zeros((10, 2))),
        ('betas', []),
        ('betas', True),
        ('transl', np.zeros(2)),
        ('smpl_weight', np.ones(3)),
        ('K', np.eye(4)),
    ],
)
def test_another_layout_is_named_with_the_one_expected(
    sample, key, value, flip_prob
):
    with pytest.raises(ValueError, match=rf'{key} (has|is).*expected.*a\.jpg'):
        run(
            {**sample, key: value, 'img_path': 'a.jpg'},
            rotation=20,
            flip_prob=flip_prob,
        )


@pytest.mark.parametrize(
    'key, factor, fix',
    [
        ('keypoints3d', 1000, 'divide millimetres by 1000'),
        ('keypoints3d', 1e300, 'metres'),
        ('transl', 1000, 'metres are expected'),
        ('global_orient', 180 / np.pi, 'radians, not degrees'),
        ('body_pose', 180 / np.pi, 'radians, not degrees'),
        ('keypoints2d', 1e30, 'pixels are expected'),
        ('betas', 1e10, 'standard deviations'),
        ('K', -1, 'leave it out'),
        ('K', 1e200, 'leave it out'),
    ],
)
def test_a_value_in_another_unit_is_a_bad_sample(sample, key, factor, fix):
    scaled = np.array(sample[key], float) * factor
    if key == 'K':
        scaled[2] = 0, 0, 1
    with pytest.raises(BadSampleError, match=rf'{key[1:]}.*a\.jpg.*') as error:
        run({**sample, key: scaled, 'img_path': 'a.jpg'}, flip_prob=1.0)
    assert fix in str(error.value)


def test_a_sample_without_a_box_is_named(sample):
    with pytest.raises(ValueError, match=r'no bbox.*a\.jpg.*x1, y1, x2, y2'):
        run({**without(sample, 'bbox'), 'img_path': 'a.jpg'})


def test_confidences_and_flags_beside_keypoints_are_weights(sample):
    sample = without(sample, 'keypoints2d_weight')
    score = np.linspace(0, 1, 14)
    out = run({**sample, 'keypoints2d': np.c_[sample['keypoints2d'], score]})
    np.testing.assert_array_equal(out['keypoints2d_weight'], score)
    flags = np.arange(14) % 3
    out = run(
        {**sample, 'keypoints2d': np.c_[sample['keypoints2d'], flags]},
        padding=3,
    )
    np.testing.assert_array_equal(out['keypoints2d_weight'], flags > 0)
    np.testing.assert_array_equal(out['keypoints2d_visibility'], flags)
    for column in (np.full(14, 0.5) * 3, -score):
        with pytest.raises(ValueError, match='keypoints2d.*confidences'):
            run(
                {**sample, 'keypoints2d': np.c_[sample['keypoints2d'], column]}
            )


@pytest.mark.parametrize('flip_prob', [0.0, 1.0])
def test_a_pose_of_smplx_moves_as_the_first_joints_of_smpl(sample, flip_prob):
    jitter = dict(rotation=20, flip_prob=flip_prob, seed=3)
    whole = run(sample, **jitter)
    pose = sample['body_pose'][:63]
    for layout in (pose, pose.reshape(21, 3), pose[None]):
        out = run({**sample, 'body_pose': layout}, **jitter)
        np.testing.assert_array_equal(
            out['body_pose'], whole['body_pose'][:63]
        )
        np.testing.assert_array_equal(
            out['global_orient'], whole['global_orient']
        )


@pytest.mark.parametrize('flip_prob', [0.5, 1.0])
def test_a_mirror_asks_for_the_joint_set_before_it_is_needed(
    sample, flip_prob
):
    named = run(sample, flip_prob=flip_prob)
    sample = without(sample, 'joint_set')
    for seed in range(3):
        with pytest.raises(ValueError, match=r'joint_set.*PersonCrop\('):
            run(sample, flip_prob=flip_prob, seed=seed)
    given = run(sample, flip_prob=flip_prob, joint_set='h36m14')
    np.testing.assert_array_equal(given['keypoints2d'], named['keypoints2d'])
    run(sample)


@pytest.mark.parametrize('number', [1, 5, 11, 300])
def test_any_number_of_shape_components_is_cropped(sample, number):
    betas = np.zeros(number)
    few = min(number, 10)
    betas[:few] = sample['betas'][:few]
    jitter = dict(rotation=20, flip_prob=1.0, seed=3)
    out = run({**sample, 'betas': betas}, **jitter)
    full = np.zeros(10)
    full[:few] = betas[:few]
    wanted = run({**sample, 'betas': full}, **jitter)
    np.testing.assert_allclose(out['transl'], wanted['transl'], atol=1e-12)
