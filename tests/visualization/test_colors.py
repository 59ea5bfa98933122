"""Numbers as colours."""

import numpy as np
import pytest

from mmd2a.visualization.colors import (
    depth_to_color,
    sigma_colors,
    sigma_limits,
)


def test_a_larger_sigma_has_a_lighter_color():
    colors = sigma_colors(np.linspace(0.01, 0.06, 50), limits=(0.01, 0.06))
    luminance = colors @ [0.2126, 0.7152, 0.0722]
    assert colors.shape == (50, 3) and colors.dtype == np.float32
    assert (np.diff(luminance) > 0).all()


def test_the_same_sigma_has_the_same_color_on_every_body():
    limits = (0.0, 0.1)
    alone = sigma_colors([0.05], limits)
    among = sigma_colors([0.01, 0.05, 0.09], limits)
    np.testing.assert_array_equal(alone[0], among[1])


def test_sigma_beyond_the_limits_takes_the_color_of_the_end():
    colors = sigma_colors([-1, 0.0, 1.0, 9.0], limits=(0.0, 1.0))
    np.testing.assert_array_equal(colors[0], colors[1])
    np.testing.assert_array_equal(colors[2], colors[3])


def test_sigma_that_is_not_finite_is_grey():
    colors = sigma_colors([np.nan, np.inf, 0.02], limits=(0.0, 0.1))
    np.testing.assert_allclose(colors[:2], 0.7, rtol=1e-6)


@pytest.mark.parametrize('sigma', [[], [0.02] * 9, [np.nan], [0.0]])
def test_limits_are_never_empty(sigma):
    lower, upper = sigma_limits([sigma])
    assert upper - lower >= 0.001 - 1e-12
    assert np.isfinite(sigma_colors(sigma)).all()


def test_limits_of_several_people_cover_all_of_them():
    lower, upper = sigma_limits([np.full(50, 0.01), np.full(50, 0.07)])
    assert lower <= 0.01 and upper >= 0.07


def test_near_depth_is_brighter_than_far_depth():
    image = depth_to_color(np.linspace(1, 5, 100)[None])
    luminance = image[0] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance[2:-5]) <= 0).all()
    assert luminance[0] > luminance[-1] + 100


@pytest.mark.parametrize('shift', [0.0, -3.0, -10.0])
def test_depth_colors_ignore_scale_shift_and_invalid_pixels(shift):
    """Depth of a model without a unit may have any sign."""
    depth = np.random.default_rng(0).uniform(1, 5, (20, 20)) + shift
    reference = depth_to_color(depth)
    scaled = depth_to_color(100 * depth).astype(int)
    assert np.abs(scaled - reference).max() <= 2
    for bad in (np.nan, np.inf, -np.inf):
        holed = depth.copy()
        holed[:3] = bad
        image = depth_to_color(holed)
        assert (image[:3] == 225).all()
        assert image.dtype == np.uint8


def test_a_map_without_valid_depth_is_grey():
    assert (depth_to_color(np.full((4, 4), np.nan)) == 225).all()
