"""What is packed comes out again; lengths are off by half a step."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mmd2a.viewer.encoding import (
    MISSING_LEVEL,
    STEP,
    level_indices,
    pack,
    quantize,
)


@given(
    st.sampled_from([np.uint8, np.int16, np.uint16, np.uint32]).flatmap(
        lambda dtype: npst.arrays(
            dtype, npst.array_shapes(min_dims=1, max_dims=3, max_side=5)
        )
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whole_numbers_come_out_as_they_went_in(unpacked, numbers):
    packed = pack(numbers)
    assert packed['row'] == numbers[0].size
    assert np.array_equal(unpacked(packed), numbers.reshape(-1))


def test_vertices_are_off_by_less_than_a_tenth_of_a_millimetre(body, unpacked):
    rng = np.random.default_rng(0)
    vertices = body.v_template.numpy() + rng.normal(0, 0.1, (4, 1, 3))
    whole, step = quantize(vertices)
    got = unpacked(pack(whole)).reshape(vertices.shape) * step
    assert step == STEP
    assert np.linalg.norm(got - vertices, axis=-1).max() <= 1e-4
    assert np.abs(got - vertices).max() <= STEP / 2 + 1e-9


def test_the_step_grows_with_lengths_that_would_not_fit():
    whole, step = quantize([-100.0, 100.0])
    assert whole.tolist() == [-32767, 32767]
    assert step * whole[1] == pytest.approx(100)
    assert quantize(np.zeros((0, 3)))[1] == STEP


def test_motion_takes_a_fraction_of_its_numbers(body):
    rest = body.v_template.numpy()
    sway = np.sin(np.linspace(0, 6, 50))[:, None, None]
    whole, _ = quantize(rest + 0.02 * sway * rest)
    assert len(pack(whole)['data']) < 0.4 * whole.nbytes


def test_levels_are_the_nearest():
    limits = (0.01, 0.06)
    values = np.linspace(0.0, 0.08, 400)
    levels = level_indices(values, limits)
    back = limits[0] + levels / (MISSING_LEVEL - 1) * 0.05
    clipped = np.clip(values, *limits)
    assert np.abs(back - clipped).max() <= 0.05 / 254 / 2 + 1e-9
    assert level_indices([np.inf], limits).tolist() == [MISSING_LEVEL]
