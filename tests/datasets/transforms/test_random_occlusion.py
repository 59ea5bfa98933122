"""A thing before a person is in the image, the mask, the depth, the joints."""

import numpy as np
import pytest

from mmd2a.datasets.transforms import RandomOcclusion

H, W = 60, 80


@pytest.fixture
def crop():
    rng = np.random.default_rng(0)
    return dict(
        img=np.full((H, W, 3), 77, np.uint8),
        mask=rng.choice(np.array([0, 128, 255], np.uint8), (H, W)),
        depth=rng.uniform(2, 4, (H, W)).astype(np.float32),
        keypoints2d=rng.uniform(-10, 90, (200, 2)),
        keypoints2d_visibility=rng.integers(0, 3, 200),
    )


def run(crop, seed=0, **kwargs):
    np.random.seed(seed)  # noqa: NPY002
    return RandomOcclusion(**{'prob': 1.0, **kwargs})(dict(crop))


def hidden(before, after):
    """Where the depth says that there is a thing."""
    return before['depth'] != after['depth']


@pytest.mark.parametrize('seed', range(6))
def test_all_that_is_of_the_crop_tells_of_the_same_thing(crop, seed):
    out = run(crop, seed, max_things=1)
    thing = hidden(crop, out)
    share = thing.mean()
    assert 0.002 < share < 0.25
    assert (out['img'] == 77)[~thing].all()
    assert (out['img'] != 77).any(2)[thing].mean() > 0.9
    assert (out['mask'] == crop['mask'])[~thing].all()
    assert (out['mask'][thing] != 255).all()
    # The whole person stays: hidden, not gone.
    assert ((out['mask'] > 0) == (crop['mask'] > 0)).all()
    assert (out['depth'][thing] < crop['depth'][thing].min()).all()
    assert (out['depth'][thing] > 0.4 * crop['depth'][thing].min()).all()


def test_joints_behind_a_thing_are_hidden_and_no_others(crop):
    for seed in range(6):
        out = run(crop, seed, max_things=1, max_size=0.9)
        thing = hidden(crop, out)
        before = crop['keypoints2d_visibility']
        for point, was, now in zip(
            crop['keypoints2d'], before, out['keypoints2d_visibility']
        ):
            column, row = np.round(point).astype(int)
            behind = 0 <= column < W and 0 <= row < H and thing[row, column]
            assert now == (1 if behind and was == 2 else was)
        assert (out['keypoints2d'] == crop['keypoints2d']).all()


@pytest.mark.parametrize('kind', ['depth', 'disparity'])
def test_depth_without_unit_is_missing_before_a_thing(crop, kind):
    out = run(dict(crop, depth_kind=kind))
    changed = hidden(crop, out)
    assert changed.any() and np.isnan(out['depth'][changed]).all()


def test_missing_depth_stays_missing(crop):
    crop['depth'] = np.full((H, W), np.nan, np.float32)
    assert np.isnan(run(crop)['depth']).all()


def test_an_image_alone_is_enough(crop):
    out = run(dict(img=crop['img']))
    assert list(out) == ['img'] and (out['img'] != 77).any()


def test_as_often_as_it_says_and_as_numpy_is_seeded(crop):
    before = {key: value.copy() for key, value in crop.items()}
    outs = [run(crop, seed, prob=0.3)['img'] for seed in range(200)]
    assert 0.2 < np.mean([(out != 77).any() for out in outs]) < 0.4
    assert (outs[5] == run(crop, 5, prob=0.3)['img']).all()
    assert all((crop[key] == before[key]).all() for key in crop)


@pytest.mark.parametrize(
    ('kwargs', 'name'),
    [
        (dict(prob=2), 'prob'),
        (dict(max_things=0), 'max_things'),
        (dict(min_size=0.5, max_size=0.2), 'min_size'),
    ],
)
def test_settings_that_cannot_be_meant_are_named(kwargs, name):
    with pytest.raises(ValueError, match=name):
        RandomOcclusion(**kwargs)
