import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mmd2a.geometry import similarity_align

SEEDS = st.integers(0, 2**31 - 1)


def reference(source, target, weight):
    """Kabsch with scale for one sample: SciPy finds the rotation."""
    x_mean = np.average(source, axis=0, weights=weight)
    y_mean = np.average(target, axis=0, weights=weight)
    x, y = source - x_mean, target - y_mean
    rotation, _ = Rotation.align_vectors(y, x, weights=weight)
    turned = rotation.apply(x)
    scale = (weight[:, None] * turned * y).sum() / (
        weight[:, None] * x * x
    ).sum()
    return scale * turned + y_mean


def random_sets(batch, points, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(batch, points, 3, generator=generator).double()
        for _ in range(2)
    )


@pytest.mark.parametrize('points', [3, 4, 14])
@pytest.mark.parametrize('batch', [1, 2, 3])
def test_matches_scipy_sample_by_sample(batch, points):
    source, target = random_sets(batch, points)
    weight = torch.rand(batch, points).double() + 0.1
    for w in (None, weight):
        expected = [
            reference(
                source[i].numpy(),
                target[i].numpy(),
                np.ones(points) if w is None else w[i].numpy(),
            )
            for i in range(batch)
        ]
        np.testing.assert_allclose(
            similarity_align(source, target, w).numpy(), expected, atol=1e-9
        )


def numpy_loop(source, target):
    """Errors (B,) after alignment, one NumPy SVD per sample."""
    errors = []
    for x, y in zip(source.numpy(), target.numpy()):
        x_centered, y_centered = x - x.mean(0), y - y.mean(0)
        u, s, vh = np.linalg.svd(y_centered.T @ x_centered)
        flip = np.array([1, 1, np.sign(np.linalg.det(u @ vh))])
        scale = (s * flip).sum() / max((x_centered**2).sum(), 1e-300)
        aligned = scale * x_centered @ (u * flip @ vh).T + y.mean(0)
        errors.append(np.linalg.norm(aligned - y, axis=1).mean())
    return np.array(errors)


SHAPES = {
    'a person': lambda p: p * torch.tensor([0.15, 0.5, 0.1]),
    'any cloud': lambda p: p,
    'flat': lambda p: p * torch.tensor([0.4, 0.5, 0.0]),
    'nearly a line': lambda p: p * torch.tensor([1e-3, 0.5, 1e-4]),
    'a line': lambda p: p * torch.tensor([0.0, 0.5, 0.0]),
    'a point': lambda p: torch.zeros_like(p),
    'small': lambda p: 1e-6 * p,
}
NOISE = {'noise': 0.05, 'much noise': 1.0, 'none': 0.0}


@pytest.mark.parametrize('batch', [5, 1100])
@pytest.mark.parametrize('noise', NOISE)
@pytest.mark.parametrize('shape', SHAPES)
def test_errors_equal_those_of_a_loop_of_svds(shape, noise, batch):
    points, vectors = random_sets(batch, 14, seed=batch)
    target = SHAPES[shape](points)
    mirror = torch.where(
        torch.arange(batch)[:, None, None] % 3 == 0,
        torch.tensor([-1.0, 1.0, 1.0]).double(),
        1.0,
    )
    turn = Rotation.from_rotvec(vectors[:, 0].numpy()).as_matrix()
    source = 2 * mirror * target @ torch.from_numpy(turn) + 0.3
    source += 2 * NOISE[noise] * SHAPES[shape](vectors)
    error = (similarity_align(source, target) - target).norm(dim=-1).mean(1)
    # A billionth of a millimetre, which is what an SVD itself leaves of
    # points a millimetre off a line.
    np.testing.assert_allclose(
        error.numpy(), numpy_loop(source, target), rtol=0, atol=1e-12
    )


def test_gradients_are_those_of_the_best_transform():
    source, target = random_sets(2, 6)
    weight = torch.rand(2, 6).double() + 0.1
    source.requires_grad_()
    target.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda s, t: similarity_align(s, t, weight), (source, target)
    )


def test_asking_for_gradients_does_not_change_the_result():
    source, target = random_sets(200, 14)
    plain = similarity_align(source, target)
    torch.testing.assert_close(
        similarity_align(source.requires_grad_(), target).detach(),
        plain,
        atol=1e-11,
        rtol=0,
    )


def test_result_does_not_depend_on_the_rest_of_the_batch():
    source, target = random_sets(8, 14)
    together = similarity_align(source, target)
    alone = torch.cat(
        [similarity_align(s[None], t[None]) for s, t in zip(source, target)]
    )
    torch.testing.assert_close(together, alone, atol=1e-13, rtol=0)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.floats(0.05, 20), st.floats(-100, 100))
def test_undoes_any_similarity_transform(seed, scale, shift):
    target, vectors = random_sets(2, 14, seed)
    rotations = torch.from_numpy(
        Rotation.from_rotvec(vectors[:, 0].numpy()).as_matrix()
    )
    source = scale * target @ rotations + shift
    torch.testing.assert_close(
        similarity_align(source, target), target, atol=1e-9, rtol=0
    )


def test_a_mirror_image_is_not_matched_by_an_improper_rotation():
    source, _ = random_sets(3, 14)
    mirrored = source * torch.tensor([-1.0, 1.0, 1.0])
    aligned = similarity_align(source, mirrored)
    assert (aligned - mirrored).norm(dim=-1).mean(dim=1).min() > 0.1
    for i in range(3):
        # The map that was applied keeps the sense of rotation.
        linear = np.linalg.lstsq(
            (source[i] - source[i].mean(0)).numpy(),
            (aligned[i] - aligned[i].mean(0)).numpy(),
            rcond=None,
        )[0]
        assert np.linalg.det(linear) > 0
        np.testing.assert_allclose(
            aligned[i].numpy(),
            reference(source[i].numpy(), mirrored[i].numpy(), np.ones(14)),
            atol=1e-9,
        )


def test_planar_points_match_although_reflection_fits_as_well():
    target, _ = random_sets(2, 14)
    target[..., 2] = 0
    source = 2 * target * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(
        similarity_align(source, target), target, atol=1e-9, rtol=0
    )


def test_collinear_points_align():
    steps = torch.linspace(-1, 2, 14).double()[:, None]
    target = (steps * torch.tensor([1.0, 2.0, -1.0]))[None]
    source = (3 * steps * torch.tensor([0.0, 1.0, 1.0]) + 5)[None]
    torch.testing.assert_close(
        similarity_align(source, target), target, atol=1e-9, rtol=0
    )


@pytest.mark.parametrize('offset', [0.0, 0.1, 1e4])
def test_coincident_points_land_on_the_mean_of_their_target(offset):
    _, target = random_sets(1, 14)
    source = torch.full_like(target, offset)
    expected = target.mean(dim=1, keepdim=True).expand_as(target)
    torch.testing.assert_close(
        similarity_align(source, target), expected, atol=1e-9, rtol=0
    )
    # The other way round everything shrinks onto the point.
    torch.testing.assert_close(
        similarity_align(target, source), source, atol=1e-9, rtol=0
    )


def test_a_single_point_lands_on_its_target():
    source, target = random_sets(2, 1)
    torch.testing.assert_close(similarity_align(source, target), target)


def test_two_points_are_finite_and_align():
    source, target = random_sets(2, 2)
    torch.testing.assert_close(
        similarity_align(source, target), target, atol=1e-9, rtol=0
    )


@pytest.mark.parametrize('size', [1e-30, 1e-12, 1e12])
def test_extreme_sizes_stay_finite(size):
    source, target = random_sets(1, 14)
    assert similarity_align(size * source, target).isfinite().all()


def test_points_of_weight_zero_do_not_count_whatever_they_hold():
    source, target = random_sets(2, 14)
    weight = torch.ones(2, 14)
    weight[:, 10:] = 0
    expected = similarity_align(source[:, :10], target[:, :10])
    target[:, 10:] = float('nan')
    source[0, 12] = float('inf')
    aligned = similarity_align(source, target, weight)
    torch.testing.assert_close(aligned[:, :10], expected, atol=1e-12, rtol=0)
    assert aligned[1].isfinite().all()  # weightless points are moved along


def test_a_sample_without_weight_stays_as_it_is():
    source, target = random_sets(2, 14)
    weight = torch.tensor([[0.0], [1.0]]).expand(2, 14)
    aligned = similarity_align(source, target, weight)
    torch.testing.assert_close(aligned[0], source[0], atol=0, rtol=0)
    assert not torch.equal(aligned[1], source[1])


def test_nan_in_one_sample_leaves_the_others_alone():
    source, target = random_sets(3, 14)
    expected = similarity_align(source, target)
    source[1, 3, 0] = float('nan')
    aligned = similarity_align(source, target)
    assert aligned[1].isnan().all()
    torch.testing.assert_close(aligned[::2], expected[::2])


def test_single_precision_comes_back_in_single_precision():
    source, target = random_sets(2, 14)
    aligned = similarity_align(source.float(), target.float())
    assert aligned.dtype == torch.float32
    torch.testing.assert_close(
        aligned, similarity_align(source, target).float(), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize('shape', [(14, 3), (1, 1, 14, 3), (2, 14, 2)])
def test_refuses_anything_but_a_batch_of_points(shape):
    points = torch.zeros(shape)
    with pytest.raises(ValueError, match=r'\(B, P, 3\)'):
        similarity_align(points, points)


def test_refuses_sets_and_weights_that_do_not_fit():
    points = torch.zeros(2, 14, 3)
    with pytest.raises(ValueError, match='same shape'):
        similarity_align(points, points[:1])
    with pytest.raises(ValueError, match='one per point'):
        similarity_align(points, points, torch.ones(14))
