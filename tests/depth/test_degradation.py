"""Degraded depth errs as much as documented, where documented."""

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mmd2a.depth import DepthDegradation, degrade_depth, relative_depth_error
from mmd2a.depth.degradation import _blur_valid, _smooth_factor

NONE = DepthDegradation().at_level(0)


def scene(size=96):
    """A rounded person at 3.2 m before a room: depth and person mask."""
    y, x = np.mgrid[:size, :size] / size
    room = np.where(y > 0.7, 1.6 / np.maximum(y - 0.35, 0.1), 1.6 / 0.35)
    inside = 1 - ((x - 0.5) / 0.18) ** 2 - ((y - 0.5) / 0.42) ** 2
    person = 3.2 - 0.35 * np.sqrt(np.maximum(inside, 0))
    depth = np.where(inside > 0, person, room).astype(np.float32)
    return depth, inside > 0


def only(**settings):
    return DepthDegradation(**{**vars(NONE), **settings})


def error(settings, num=60):
    depth, person = scene()
    return np.mean(
        [
            relative_depth_error(
                degrade_depth(depth, np.random.default_rng(i), settings),
                depth,
                person,
            )
            for i in range(num)
        ]
    )


def test_the_default_error_is_the_documented_one(people):
    """About 5 % on rendered people and their surroundings alike.

    500 people, 5 draws each: 0.054 on the person, 0.050 on the crop, with a
    spread of 0.037 between people: three standard errors of 60 are 0.014.
    """
    person, crop = [], []
    for i, (depth, mask) in enumerate(zip(*people)):
        for draw in range(3):
            pseudo = degrade_depth(depth, np.random.default_rng([draw, i]))
            crop.append(relative_depth_error(pseudo, depth))
            person.append(relative_depth_error(pseudo, depth, mask))
    assert np.nanmean(person) == pytest.approx(0.054, abs=0.014)
    assert np.nanmean(crop) == pytest.approx(0.050, abs=0.014)


def test_error_grows_with_level():
    errors = [
        error(DepthDegradation().at_level(level), 20)
        for level in (0, 0.5, 1, 2)
    ]
    assert errors[0] < 1e-6
    assert (np.diff(errors) > 0.01).all()


def test_level_zero_changes_nothing():
    depth, _ = scene()
    depth[:5] = np.nan
    out = degrade_depth(depth, np.random.default_rng(0), NONE)
    np.testing.assert_allclose(out, depth, rtol=1e-6)


def test_the_same_seed_gives_the_same_bytes():
    depth, _ = scene()
    runs = [
        degrade_depth(depth, np.random.default_rng(s)).tobytes()
        for s in (1, 1, 2)
    ]
    assert runs[0] == runs[1] != runs[2]


def test_the_input_is_left_alone():
    depth, _ = scene()
    before = depth.copy()
    degrade_depth(depth, np.random.default_rng(0))
    assert (depth == before).all()


def test_an_affine_in_depth_is_no_error_once_aligned():
    assert error(only(scale=0.5, shift=0.5)) < 1e-6
    depth, _ = scene()
    out = degrade_depth(
        depth, np.random.default_rng(0), only(scale=0.5, shift=0.5)
    )
    assert np.abs(out - depth).max() > 0.1


def test_an_affine_in_disparity_keeps_the_order_of_depth():
    depth, _ = scene()
    out = degrade_depth(
        depth, np.random.default_rng(3), only(disparity_shift=0.2)
    )
    order = np.argsort(depth.ravel())
    assert (np.diff(out.ravel()[order]) >= -1e-5).all()
    assert relative_depth_error(out, depth) > 1e-3


def test_the_warp_is_smooth():
    depth = np.full((96, 96), 3.0, np.float32)
    out = degrade_depth(depth, np.random.default_rng(0), only(warp=0.08))
    assert np.abs(np.diff(out, axis=0)).max() < 0.05
    assert np.ptp(out) > 0.2


@pytest.mark.parametrize('size', [96, 224, 512])
def test_the_warp_is_the_cubic_field_of_its_cells(size):
    cells = np.random.default_rng(0).standard_normal((4, 4), np.float32)
    factor = _smooth_factor(cells, 0.06, np.empty((size, size), np.float32))
    field = np.log(factor) / 0.06
    exact = cv2.resize(cells, (size, size), interpolation=cv2.INTER_CUBIC)
    assert np.abs(field - exact).mean() < 0.01
    assert np.abs(field - exact).max() < 0.05
    assert field.std() == pytest.approx(exact.std(), rel=0.02)


@pytest.mark.parametrize('sigma', [0.3, 0.8, 1.3])
def test_blur_is_a_gaussian_mean_of_the_valid_pixels(sigma):
    depth, _ = scene()
    valid = np.ones(depth.shape, bool)
    valid[:30, :20] = valid[60:62] = False
    share = gaussian_filter(valid.astype(float), sigma, mode='mirror')
    exact = gaussian_filter(depth * valid.astype(float), sigma, mode='mirror')
    blurred = depth.copy()
    _blur_valid(blurred, valid, sigma, np.empty_like(depth))
    error = np.abs(blurred[valid] / (exact[valid] / share[valid]) - 1)
    # The surroundings are up to 1.4 times as far as the person.
    assert error.max() < 0.01 and error.mean() < 2e-4


def test_blur_spreads_edges_by_a_uniform_sigma_and_nothing_else():
    """A step becomes the integral of a normal density about the same place;
    its standard deviation is uniform in [0, blur] times the side."""
    blur, side, edge, num = 0.1, 64, 32, 300
    depth = np.full((side, side), 2.0, np.float32)
    depth[:, edge:] = 4.0
    column = np.arange(side)
    place = column[:-1] + 0.5
    sigmas = []
    for seed in range(num):
        rng = np.random.default_rng(seed)
        out = degrade_depth(depth, rng, only(blur=blur))
        assert np.ptp(out, axis=0).max() < 1e-5  # along the edge
        density = np.diff(out[0]) / 2
        mean = (density * place).sum()
        sigma = np.sqrt((density * (place - mean) ** 2).sum())
        assert (density >= -1e-6).all() and abs(mean - (edge - 0.5)) < 1e-3
        far = abs(column - (edge - 0.5)) > 4 * sigma + 2
        assert np.abs(out - depth)[:, far].max() < 1e-3
        sigmas.append(sigma / (blur * side))
    # Kolmogorov and Smirnov's distance, at 1 %; pixels hide small sigmas.
    distance = np.abs(np.sort(sigmas) - (np.arange(num) + 0.5) / num).max()
    assert distance < 1.63 / np.sqrt(num)


def test_noise_is_normal_and_independent():
    depth = np.full((200, 200), 2.0, np.float32)
    rng = np.random.default_rng(0)
    noise = degrade_depth(depth, rng, only(noise=0.01)) / depth - 1
    assert abs(noise.mean()) < 2e-4
    assert noise.std() == pytest.approx(0.01, rel=0.02)
    inside = [(np.abs(noise) < k * 0.01).mean() for k in (1, 2)]
    np.testing.assert_allclose(inside, [0.683, 0.954], atol=0.01)
    for a, b in ((noise[1:], noise[:-1]), (noise[:, 1:], noise[:, :-1])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.02


def test_invalid_pixels_neither_spread_nor_fill():
    depth = np.full((64, 64), 3.0, np.float32)
    depth[:20], depth[20:24], depth[24] = np.nan, np.inf, -5
    out = degrade_depth(depth, np.random.default_rng(0), only(blur=0.05))
    assert np.isnan(out[:25]).all()
    np.testing.assert_allclose(out[25:], 3.0, rtol=1e-5)


def test_holes_are_few_and_small():
    depth, _ = scene()
    lost = [
        np.isnan(degrade_depth(depth, np.random.default_rng(i))).mean()
        for i in range(60)
    ]
    assert 0 < np.mean(lost) < 0.03 and max(lost) < 0.06
    assert min(lost) == 0


@pytest.mark.parametrize('fill', [np.nan, 0.0, np.inf])
def test_a_map_without_any_depth_stays_without(fill):
    depth = np.full((8, 8), fill, np.float32)
    assert np.isnan(degrade_depth(depth, np.random.default_rng(0))).all()


@pytest.mark.parametrize('level', [1, 5, 20])
def test_valid_depth_stays_positive_and_finite(level):
    depth, _ = scene()
    for i in range(10):
        out = degrade_depth(
            depth, np.random.default_rng(i), DepthDegradation().at_level(level)
        )
        valid = ~np.isnan(out)
        assert np.isfinite(out[valid]).all() and (out[valid] > 0).all()


def test_a_negative_level_is_refused():
    with pytest.raises(ValueError, match='level'):
        DepthDegradation().at_level(-1)


def test_relative_error_is_that_of_a_known_case():
    """A symmetric +-10 % ripple that no affine can remove."""
    reference = np.tile([[1.0, 1.0, 2.0, 2.0]], (50, 1))
    ripple = reference * np.array([0.9, 1.1, 0.9, 1.1])
    assert relative_depth_error(ripple * 7 + 3, reference) == pytest.approx(
        relative_depth_error(ripple, reference)
    )
    d, r = ripple.ravel(), reference.ravel()
    slope, offset = np.polyfit(d, r, 1)
    assert relative_depth_error(ripple, reference) == pytest.approx(
        (abs(slope * d + offset - r) / r).mean()
    )


def test_relative_error_of_nothing_is_nan():
    nothing = np.full((4, 4), np.nan)
    assert np.isnan(relative_depth_error(nothing, np.ones((4, 4))))
    assert np.isnan(
        relative_depth_error(
            np.ones((4, 4)), np.ones((4, 4)), np.zeros((4, 4))
        )
    )
