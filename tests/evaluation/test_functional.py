import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import svd
from scipy.spatial.transform import Rotation

from mmd2a.evaluation import mpjpe, mpjpe_z, pa_mpjpe, pa_mpjpe_z, pve

KERNELS = {
    'mpjpe': mpjpe,
    'pa_mpjpe': pa_mpjpe,
    'pve': pve,
    'mpjpe_z': mpjpe_z,
    'pa_mpjpe_z': pa_mpjpe_z,
}
all_kernels = pytest.mark.parametrize('name', KERNELS)


def slow_align(x, y, w):
    """Umeyama's formula for one sample, SciPy's SVD."""
    w = w / w.sum()
    x_mean, y_mean = w @ x, w @ y
    covariance = np.zeros((3, 3))
    variance = 0.0
    for weight, a, b in zip(w, x, y):
        covariance += weight * np.outer(b - y_mean, a - x_mean)
        variance += weight * (a - x_mean) @ (a - x_mean)
    u, d, vt = svd(covariance)
    s = np.diag([1.0, 1.0, np.linalg.det(u) * np.linalg.det(vt)])
    rotation = u @ s @ vt
    scale = np.trace(np.diag(d) @ s) / variance if variance > 0 else 1.0
    return np.stack([scale * rotation @ (a - x_mean) + y_mean for a in x])


def slow(name, pred, target, weight):
    """One sample at a time, one point at a time."""
    errors = []
    for x, y, w in zip(pred.numpy(), target.numpy(), weight.numpy()):
        x, y, w = x[w > 0], y[w > 0], w[w > 0]
        if name.startswith('pa'):
            x = slow_align(x, y, w)
        total = 0.0
        for a, b, v in zip(x, y, w):
            total += v * (
                abs(a[2] - b[2]) if name.endswith('_z') else math.dist(a, b)
            )
        errors.append(total / w.sum())
    return np.array(errors)


def random_sets(batch, points=14, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(batch, points, 3, generator=generator).double()
        for _ in range(2)
    )


@all_kernels
@pytest.mark.parametrize('batch', [1, 2, 3])
def test_matches_a_slow_reference(name, batch):
    pred, target = random_sets(batch)
    ones = torch.ones(batch, 14).double()
    np.testing.assert_allclose(
        KERNELS[name](pred, target).numpy(),
        slow(name, pred, target, ones),
        atol=1e-9,
    )


@all_kernels
@pytest.mark.parametrize('kind', ['binary', 'real'])
def test_weights_match_a_slow_reference(name, kind):
    pred, target = random_sets(3)
    weight = torch.rand(3, 14, generator=torch.Generator().manual_seed(1))
    weight = weight.double() if kind == 'real' else (weight > 0.4).double()
    np.testing.assert_allclose(
        KERNELS[name](pred, target, weight).numpy(),
        slow(name, pred, target, weight),
        atol=1e-9,
    )


@pytest.mark.parametrize('name', ['pa_mpjpe', 'pa_mpjpe_z'])
def test_mirrored_targets_match_a_slow_reference_and_are_far_off(name):
    pred, _ = random_sets(3)
    target = pred * torch.tensor([-1.0, 1.0, 1.0])
    error = KERNELS[name](pred, target)
    ones = torch.ones(3, 14).double()
    np.testing.assert_allclose(
        error.numpy(), slow(name, pred, target, ones), atol=1e-9
    )
    assert (error > 0.05).all()


@pytest.mark.parametrize('name', ['pa_mpjpe', 'pa_mpjpe_z'])
def test_collinear_points_match_a_slow_reference(name):
    steps = torch.linspace(-1, 2, 14).double()
    pred = steps[:, None] * torch.tensor([[1.0, 0.0, 2.0]]).double()
    target = steps.cos()[:, None] * torch.tensor([[0.0, 3.0, 1.0]]).double()
    pred, target = pred[None], target[None]
    ones = torch.ones(1, 14).double()
    np.testing.assert_allclose(
        KERNELS[name](pred, target).numpy(),
        slow(name, pred, target, ones),
        atol=1e-9,
    )


@all_kernels
def test_degenerate_points_have_finite_errors(name):
    _, target = random_sets(2)
    coincident = torch.full_like(target, 0.1)
    assert KERNELS[name](coincident, target).isfinite().all()
    assert KERNELS[name](target, coincident).isfinite().all()
    assert KERNELS[name](coincident, coincident).abs().max() < 1e-12
    assert KERNELS[name](target[:, :1], coincident[:, :1]).isfinite().all()


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**31 - 1),
    scale=st.floats(0.05, 20),
    shift=st.floats(-50, 50),
)
def test_pa_errors_ignore_pose_and_size_of_the_prediction(seed, scale, shift):
    pred, target = random_sets(2, seed=seed)
    rotation = torch.from_numpy(
        Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    )
    moved = scale * pred @ rotation + shift
    for kernel in (pa_mpjpe, pa_mpjpe_z):
        torch.testing.assert_close(
            kernel(moved, target), kernel(pred, target), atol=1e-9, rtol=0
        )


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31 - 1))
def test_errors_keep_their_order(seed):
    pred, target = random_sets(3, seed=seed)
    assert (mpjpe_z(pred, target) <= mpjpe(pred, target)).all()
    # Procrustes minimises squares, not distances.
    root_mean_square = (pred - target).square().sum(-1).mean(-1).sqrt()
    assert (pa_mpjpe(pred, target) <= root_mean_square + 1e-12).all()
    torch.testing.assert_close(mpjpe(pred, target), mpjpe(target, pred))


@all_kernels
def test_garbage_under_weight_zero_leaves_no_trace(name):
    pred, target = random_sets(2)
    weight = torch.ones(2, 14)
    weight[0, 3] = weight[1, 5:9] = 0
    expected = KERNELS[name](pred, target, weight)
    for garbage in (math.nan, math.inf, 1e300):
        dirty = target.clone()
        dirty[weight == 0] = garbage
        torch.testing.assert_close(
            KERNELS[name](pred, dirty, weight), expected, atol=0, rtol=0
        )


@pytest.mark.parametrize('name', ['mpjpe', 'pve', 'mpjpe_z'])
def test_garbage_under_weight_zero_leaves_no_trace_in_gradients(name):
    pred, target = random_sets(2)
    weight = torch.ones(2, 14)
    weight[0, 3] = 0
    target[0, 3] = math.nan
    pred.requires_grad_()
    KERNELS[name](pred, target, weight).sum().backward()
    assert pred.grad.isfinite().all() and (pred.grad[0, 3] == 0).all()


@all_kernels
def test_a_sample_without_weight_is_nan_and_leaves_the_others_alone(name):
    pred, target = random_sets(3)
    weight = torch.ones(3, 14)
    expected = KERNELS[name](pred, target, weight)
    weight[1] = 0
    error = KERNELS[name](pred, target, weight)
    assert error.isnan().tolist() == [False, True, False]
    torch.testing.assert_close(error[::2], expected[::2], atol=0, rtol=0)


@all_kernels
def test_a_diverged_prediction_is_not_hidden(name):
    pred, target = random_sets(2)
    pred[0, 0] = math.nan
    assert KERNELS[name](pred, target).isnan().tolist() == [True, False]


@all_kernels
def test_one_number_per_sample_in_the_dtype_of_the_prediction(name):
    pred, target = random_sets(2)
    error = KERNELS[name](pred.float(), target.float())
    assert error.shape == (2,) and error.dtype == torch.float32
    torch.testing.assert_close(
        error, KERNELS[name](pred, target).float(), atol=1e-5, rtol=0
    )


@all_kernels
@pytest.mark.parametrize('shape', [(14, 3), (1, 2, 14, 3), (2, 14, 2)])
def test_refuses_to_guess_which_axis_is_the_batch(name, shape):
    points = torch.zeros(shape)
    with pytest.raises(ValueError, match=r'\(B, P, 3\).*points\[None\]'):
        KERNELS[name](points, points)


@all_kernels
def test_refuses_targets_and_weights_that_would_broadcast(name):
    pred, target = random_sets(2)
    with pytest.raises(ValueError, match='same shape'):
        KERNELS[name](pred, target[:1])
    with pytest.raises(ValueError, match='one per point'):
        KERNELS[name](pred, target, torch.ones(2, 14, 1))
