"""The filter against weighted means written out, and what it must not do."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mmd2a.apis.video.one_euro import (
    ROTATION,
    OneEuro,
    OneEuroFilter,
    smooth_sequence,
)

FPS = 30


def times(number, fps=FPS):
    return np.arange(number) / fps


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def powers(number, cutoff, dt):
    """(1 - a)^(t - s) of frames t (rows) and s before them."""
    t = np.arange(number)
    lag = t[:, None] - t
    return np.where(lag >= 0, np.exp(-2 * np.pi * cutoff * dt * lag), 0)


def test_online_it_is_an_exponential_mean_weighted_by_certainty(rng):
    values, weights = rng.normal(size=(20, 2)), rng.uniform(1, 9, (20, 1))
    kernel = powers(20, 1.5, 1 / FPS) * weights[:, 0]
    expected = kernel @ values / kernel.sum(1, keepdims=True)
    smooth = OneEuroFilter(OneEuro(1.5))
    result = [smooth(v, 1 / FPS, w) for v, w in zip(values, weights)]
    assert np.stack(result) == pytest.approx(expected)


def test_offline_it_is_a_mean_under_a_kernel_to_both_sides(rng):
    values, weights = rng.normal(size=(20, 2)), rng.uniform(1, 9, (20, 1))
    forth = powers(20, 1.5, 1 / FPS)
    kernel = forth.T @ forth * weights[:, 0]
    expected = kernel @ values / kernel.sum(1, keepdims=True)
    result = smooth_sequence(values, times(20), OneEuro(1.5), weights)
    assert result == pytest.approx(expected)


def test_offline_the_direction_of_time_does_not_matter(rng):
    values, weights = rng.normal(size=(120, 2)), rng.uniform(1, 9, (120, 1))
    settings = OneEuro(3.0)
    forth, back = (
        smooth_sequence(values[way], times(120), settings, weights[way])[way]
        for way in (slice(None), slice(None, None, -1))
    )
    assert back[50:70] == pytest.approx(forth[50:70], abs=1e-6)


def test_a_movement_is_late_online_and_in_time_offline():
    moving = times(90)[:, None]
    settings = OneEuro(1.0)
    smooth = OneEuroFilter(settings)
    online = np.stack([smooth(value, 1 / FPS) for value in moving])
    lag = (moving - online)[60:, 0]
    assert lag == pytest.approx(1 / (2 * np.pi), rel=0.15)  # 1 / (2 pi f)
    offline = smooth_sequence(moving, times(90), settings)
    assert offline[40:50] == pytest.approx(moving[40:50], abs=1e-3)


@pytest.mark.parametrize('run', ['online', 'offline'])
def test_what_is_fast_keeps_its_reach_and_what_stands_is_still(rng, run):
    noise = 0.01 * rng.normal(size=(300, 3))
    wave = np.sin(2 * np.pi * 2.0 * times(300))[:, None] * [0.4, 0, 0]

    def smooth(values, settings):
        if run == 'offline':
            return smooth_sequence(values, times(len(values)), settings)
        each = OneEuroFilter(settings)
        return np.stack([each(value, 1 / FPS) for value in values])

    fast = OneEuro(1.0, beta=4.0, d_cutoff=3.0)
    assert np.ptp(smooth(wave, fast)[60:240, 0]) > 0.9 * np.ptp(wave[:, 0])
    assert np.ptp(smooth(wave, OneEuro(1.0))[60:240, 0]) < 0.55
    assert smooth(noise, fast).std() < 0.55 * noise.std()


def test_a_doubtful_value_takes_those_of_its_neighbours():
    values, weights = np.zeros((31, 1)), np.ones((31, 1))
    values[15] = 1
    plain = smooth_sequence(values, times(31), OneEuro(3.0))
    weights[15] = 1e-4
    doubtful = smooth_sequence(values, times(31), OneEuro(3.0), weights)
    weights[15] = 1e4
    certain = smooth_sequence(values, times(31), OneEuro(3.0), weights)
    assert doubtful[15] < 1e-3 < 0.2 < plain[15] < 0.8 < 0.99 < certain[15]
    online = OneEuroFilter(OneEuro(3.0))
    got = [online(v, 1 / FPS, w) for v, w in zip(values, weights)]
    assert got[15] > 0.99


def test_weights_count_relative_to_each_other_only(rng):
    values, weights = rng.normal(size=(20, 3)), rng.uniform(1, 9, (20, 1))
    settings = OneEuro(1.0, 2.0)
    once = smooth_sequence(values, times(20), settings, weights)
    again = smooth_sequence(values, times(20), settings, 1e6 * weights)
    assert again == pytest.approx(once)


def test_the_frame_rate_changes_little():
    def smooth(fps):
        wave = np.sin(2 * np.pi * times(3 * fps, fps))[:, None]
        return smooth_sequence(
            wave, times(3 * fps, fps), OneEuro(1.0, 1.0, 2.0)
        )

    assert smooth(120)[40:320:4] == pytest.approx(smooth(30)[10:80], abs=0.02)


def test_rotations_turn_with_the_world(rng):
    turns = Rotation.from_rotvec(rng.normal(size=(20, 3)))
    world = Rotation.from_rotvec([0.3, -2.0, 1.0])
    settings = OneEuro(1.0, 0.5)

    def smooth(rotations):
        return Rotation.from_rotvec(
            smooth_sequence(
                rotations.as_rotvec(), times(20), settings, None, ROTATION
            )
        )

    off = smooth(world * turns).inv() * (world * smooth(turns))
    assert off.magnitude().max() < 1e-9


def test_rotations_pass_half_a_turn_without_a_jump():
    # Their vectors jump from (pi, 0, 0) to (-pi, 0, 0) on the way.
    angle = np.linspace(0, 4 * np.pi, 121)
    vectors = Rotation.from_rotvec(angle[:, None] * [1, 0, 0]).as_rotvec()
    assert np.abs(np.diff(vectors[:, 0])).max() > 6
    smooth = smooth_sequence(vectors, times(121), OneEuro(1.0), None, ROTATION)
    steps = (
        Rotation.from_rotvec(smooth[1:])
        * Rotation.from_rotvec(smooth[:-1]).inv()
    )
    assert steps.magnitude().max() < 1.01 * (angle[1] - angle[0])


def test_missing_frames_are_time():
    kept = np.array([0, 1, 2, 3, 9, 10, 11])
    values = times(12)[kept][:, None]
    smooth = smooth_sequence(values, times(12)[kept], OneEuro(20.0))
    assert smooth == pytest.approx(values, abs=2e-3)


def test_few_frames_and_mistakes():
    assert smooth_sequence(np.ones((1, 3)), times(1), OneEuro()).tolist() == [
        [1, 1, 1]
    ]
    with pytest.raises(ValueError, match='must ascend'):
        smooth_sequence(np.ones((2, 3)), np.zeros(2), OneEuro())
    for wrong in (dict(min_cutoff=0), dict(beta=-1), dict(d_cutoff=np.nan)):
        with pytest.raises(ValueError, match='more than 0 Hz'):
            OneEuro(**wrong)
