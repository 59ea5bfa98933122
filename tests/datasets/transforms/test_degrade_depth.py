"""Depth errors are random in training and fixed in testing."""

import numpy as np
import pytest

from mmd2a.datasets.transforms import DegradeDepth


@pytest.fixture
def depth():
    return np.full((32, 32), 3.0, np.float32)


def same(a, b):
    return np.array_equal(a, b, equal_nan=True)


def test_training_differs_from_call_to_call_and_follows_the_seed(depth):
    transform, runs = DegradeDepth(), []
    for _ in range(2):
        np.random.seed(3)  # noqa: NPY002
        runs.append([transform(dict(depth=depth))['depth'] for _ in range(2)])
    assert not same(*runs[0])
    assert same(runs[0][0], runs[1][0]) and same(runs[0][1], runs[1][1])


def test_testing_depends_on_the_sample_alone(depth):
    def run(index, seed):
        np.random.seed(seed)  # noqa: NPY002
        return DegradeDepth()(
            dict(depth=depth, test_mode=True, sample_idx=index)
        )['depth']

    assert same(run(5, seed=0), run(5, seed=1))
    assert not same(run(5, seed=0), run(6, seed=0))


def test_prob_decides_how_often(depth):
    assert DegradeDepth(prob=0.0)(dict(depth=depth))['depth'] is depth
    np.random.seed(0)  # noqa: NPY002
    transform = DegradeDepth(prob=0.5)
    kept = sum(
        transform(dict(depth=depth))['depth'] is depth for _ in range(200)
    )
    assert 70 < kept < 130


def test_level_zero_is_the_rendered_depth(depth):
    out = DegradeDepth(level=0.0)(dict(depth=depth))['depth']
    np.testing.assert_allclose(out, depth, rtol=1e-6)


def test_a_pipeline_without_depth_passes():
    assert DegradeDepth()(dict(img=1)) == dict(img=1)


def test_settings_are_those_of_the_degradation():
    assert DegradeDepth(level=2.0, warp=0.01).settings.warp == 0.02
    with pytest.raises(TypeError, match='wrap'):
        DegradeDepth(wrap=0.01)


@pytest.mark.parametrize('drop_prob', [0.0, 0.3, 1.0])
def test_whole_maps_are_lost_as_often_as_asked_for(drop_prob):
    transform = DegradeDepth(drop_prob=drop_prob)
    np.random.seed(0)  # noqa: NPY002
    lost = [
        np.isnan(
            transform(dict(depth=np.full((16, 16), 2.0, np.float32)))['depth']
        ).all()
        for _ in range(300)
    ]
    assert abs(np.mean(lost) - drop_prob) < 0.09


def test_pseudo_depth_is_not_degraded_again(depth):
    results = dict(depth=-depth, depth_kind='disparity', sample_idx=0)
    with pytest.raises(ValueError, match='disparity'):
        DegradeDepth()(results)
