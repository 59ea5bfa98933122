"""Depth from any source ends on one finite scale around the person."""

import pytest
import torch

from mmd2a.depth import normalize_depth

MODES = ['metric', 'affine']


def depth(batch=3, size=32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 3 + 0.2 * torch.randn(batch, 1, size, size, generator=generator)


def test_metric_depth_is_in_units_of_the_scale_from_the_centre():
    z = depth()
    out = normalize_depth(z, scale=0.5)
    for sample, result in zip(z[:, 0], out):
        # 14 x 14 = 196 pixels; the 0.3 quantile is number 58 of them.
        front = sample[9:23, 9:23].flatten().sort().values[58]
        torch.testing.assert_close(
            result[0], ((sample - front) / 0.5).clamp(-2, 2)
        )


def test_the_median_of_another_centre_can_be_asked_for():
    z = depth()
    out = normalize_depth(z, scale=0.5, center_size=1.0, quantile=0.5)
    for sample, result in zip(z[:, 0], out):
        torch.testing.assert_close(
            result[0], ((sample - sample.median()) / 0.5).clamp(-2, 2)
        )


@pytest.mark.parametrize('mode', MODES)
def test_the_shape_of_most_people_survives(people, mode):
    """Clipped flat, a person has no shape. The median of a half-size centre,
    a wall more often than a person, loses every second one."""

    def lost(**settings):
        crops = torch.from_numpy(people[0])[:, None]
        out = normalize_depth(crops, mode, **settings)
        return sum(
            bool((d[mask & valid].abs() >= 2).float().mean() > 0.5)
            for d, valid, mask in zip(
                out[:, 0], out[:, 1] > 0, torch.from_numpy(people[1])
            )
        ) / len(crops)

    assert lost() < 0.15
    if mode == 'metric':
        assert lost(center_size=0.5, quantile=0.5) > 0.35


@pytest.mark.parametrize('mode', MODES)
def test_a_shift_changes_nothing(mode):
    torch.testing.assert_close(
        normalize_depth(depth() + 1.5, mode),
        normalize_depth(depth(), mode),
        atol=1e-4,
        rtol=0,
    )


@pytest.mark.parametrize('factor', [1e-6, 0.1, 0.5, 7.0, 1000.0, 1e30])
@pytest.mark.parametrize('shift', [-50.0, -3.0, -1.0, 0.0, 0.3, 20.0])
def test_affine_mode_is_blind_to_scale_and_shift(factor, shift):
    """For all a > 0 and b: what is below zero is depth like any other."""
    z = depth()
    z[:, :, 3:5, 7:20] = torch.nan
    out = normalize_depth(factor * (z + shift), 'affine')
    expected = normalize_depth(z, 'affine')
    # A shift by fifty standard deviations costs float32 two digits.
    torch.testing.assert_close(out, expected, atol=3e-4, rtol=0)
    assert torch.equal(out[:, 1], torch.isfinite(z[:, 0]).float())


def test_affine_mode_takes_a_shift_beyond_the_farthest_point():
    """Every value negative: once no depth at all."""
    z = depth()
    out = normalize_depth(z - 10, 'affine')
    assert (out[:, 1] == 1).all() and out[:, 0].std() > 0.1


def test_affine_mode_orders_a_negated_disparity_as_depth():
    z = depth() * torch.linspace(1, 2, 32)
    out = normalize_depth(-1 / z, 'affine')
    assert (out[:, 1] == 1).all()
    for values, reference in zip(out[:, 0], z[:, 0]):
        inside = values.abs() < 2
        order = reference[inside].argsort()
        assert (values[inside][order].diff() >= -1e-6).all()


def test_affine_mode_is_finite_for_the_largest_numbers():
    z = depth()
    z[0, 0, 10:20, 10:20] = torch.finfo(torch.float32).max
    z[0, 0, 12:22, 12:22] = torch.finfo(torch.float32).min
    assert torch.isfinite(normalize_depth(z, 'affine')).all()


def test_metric_mode_sees_size():
    """A person half as deep must not look the same."""
    near, far = normalize_depth(depth()), normalize_depth(depth() * 0.5)
    assert not torch.allclose(near, far, atol=0.1)


def test_both_modes_give_a_body_about_the_same_range():
    """30 cm of spread: neither lost in the noise nor clipped."""
    z = 3 + 0.3 * (torch.rand(4, 1, 32, 32) - 0.5) * 2
    for mode in MODES:
        values = normalize_depth(z, mode)[:, 0].abs()
        assert 0.2 < values.mean() < 0.7 and values.max() < 2


@pytest.mark.parametrize(
    'mode, fill',
    [(mode, fill) for mode in MODES for fill in (torch.nan, torch.inf)]
    + [('affine', -torch.inf), ('metric', 0.0), ('metric', -1.0)],
)
def test_invalid_pixels_are_zero_and_marked(mode, fill):
    z = depth()
    z[:, :, :6] = fill
    out = normalize_depth(z, mode)
    assert torch.isfinite(out).all()
    assert (out[:, 0, :6] == 0).all() and (out[:, 1, :6] == 0).all()
    assert (out[:, 1, 6:] == 1).all()
    torch.testing.assert_close(
        out[:, :, 8:], normalize_depth(depth(), mode)[:, :, 8:]
    )


@pytest.mark.parametrize('mode', MODES)
def test_a_map_without_any_depth_gives_zeros(mode):
    z = depth()
    z[1] = float('nan')
    out = normalize_depth(z, mode)
    assert (out[1] == 0).all()
    # ... and does not disturb its neighbours.
    torch.testing.assert_close(
        out[[0, 2]], normalize_depth(depth()[[0, 2]], mode)
    )


@pytest.mark.parametrize('mode', MODES)
def test_one_valid_pixel_is_enough(mode):
    z = torch.full((1, 1, 16, 16), float('nan'))
    z[0, 0, 0, 0] = 2.0
    out = normalize_depth(z, mode)
    assert torch.isfinite(out).all()
    assert out[0, 0].abs().max() == 0 and out[0, 1].sum() == 1


def test_an_empty_centre_falls_back_to_the_whole_crop():
    z = depth()
    z[:, :, 8:24, 8:24] = float('nan')
    values = normalize_depth(z)[:, 0]
    for sample, result in zip(z[:, 0], values):
        known = torch.isfinite(sample)
        share = (result[known] < 0).float().mean()
        assert share == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize('mode', MODES)
def test_flat_depth_is_flat(mode):
    out = normalize_depth(torch.full((1, 1, 8, 8), 3.0), mode)
    assert (out[:, 0] == 0).all() and (out[:, 1] == 1).all()


@pytest.mark.parametrize('mode', MODES)
def test_far_background_is_clipped(mode):
    z = depth()
    z[..., :4] = 1e9
    out = normalize_depth(z, mode)
    assert (out[:, 0, :, :4] == 2).all() and out.abs().max() <= 2


def test_the_background_does_not_move_the_person():
    """A person in the middle: a wall near or far changes nothing."""
    z = depth()
    wall = torch.ones_like(z, dtype=torch.bool)
    wall[..., 8:24, 8:24] = False
    near, far = (
        normalize_depth(torch.where(wall, z + d, z)) for d in (1.0, 5.0)
    )
    torch.testing.assert_close(near[..., 8:24, 8:24], far[..., 8:24, 8:24])


@pytest.mark.parametrize('shape', [(1, 1, 7, 9), (2, 1, 1, 1), (0, 1, 8, 8)])
def test_any_size_works(shape):
    out = normalize_depth(torch.ones(shape))
    assert out.shape == (shape[0], 2, *shape[2:])
    assert torch.isfinite(out).all()


@pytest.mark.parametrize(
    'dtype', [torch.float16, torch.bfloat16, torch.float64]
)
def test_the_result_is_float32(dtype):
    assert normalize_depth(depth().to(dtype)).dtype == torch.float32


def test_it_runs_under_deterministic_algorithms():
    torch.use_deterministic_algorithms(True)
    try:
        normalize_depth(depth(), 'affine')
    finally:
        torch.use_deterministic_algorithms(False)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match='mode'):
        normalize_depth(depth(), 'relative')
    with pytest.raises(ValueError, match=r'\(B, 1, H, W\)'):
        normalize_depth(depth()[:, 0])
