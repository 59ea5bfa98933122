"""From meshes back to parameters."""

import numpy as np
import pytest
import torch
from torch.func import jacfwd

from mmd2a.body_models import BodyFitter, SMPLBodyModel, coarsen_mesh, fit_smpl
from mmd2a.body_models.fitting_jacobian import BodyState, MovingPoints
from mmd2a.geometry.rotations import axis_angle_to_matrix
from mmd2a.people.poses import sample_pose


@pytest.fixture(scope='module')
def meshes(body):
    generator = torch.Generator().manual_seed(0)
    return body(
        torch.randn(3, 3, generator=generator),
        0.35 * torch.randn(3, 69, generator=generator),
        torch.randn(3, 10, generator=generator),
        2 * torch.randn(3, 3, generator=generator),
    ).vertices


def error(body, params, meshes):
    return (body(**params).vertices - meshes).norm(dim=-1)


def test_own_meshes_come_back_within_a_tenth_of_a_millimetre(body, meshes):
    params = fit_smpl(body, meshes)
    assert error(body, params, meshes).mean() < 1e-4
    assert error(body, params, meshes).max() < 1e-3


@pytest.mark.parametrize('split', ['test', 'ood'])
def test_people_come_back_whatever_they_do(body, split):
    rng = np.random.default_rng(0)
    poses = [sample_pose(rng, split).rotations for _ in range(100)]
    rotations = torch.from_numpy(np.stack(poses)).float()
    meshes = body(
        rotations[:, :1],
        rotations[:, 1:],
        torch.from_numpy(rng.normal(size=(100, 10)).clip(-2.5, 2.5)).float(),
        torch.from_numpy(rng.normal(size=(100, 3)) + (0, 0, 5)).float(),
        pose_format='matrix',
    ).vertices
    fit = BodyFitter(body)(meshes)
    errors = error(body, fit.parameters(), meshes).mean(1)
    assert errors.max() < 2e-4
    torch.testing.assert_close(fit.residual, errors, atol=1e-5, rtol=0)


def test_derivatives_are_those_of_the_body(body):
    """Against forward differentiation of the body layer, in float64."""
    body = SMPLBodyModel().double()
    generator = torch.Generator().manual_seed(3)
    ids = torch.randperm(body.num_vertices, generator=generator)[:20]
    moving = MovingPoints(body, ids)
    draw = dict(generator=generator, dtype=torch.float64)
    state = BodyState(
        axis_angle_to_matrix(torch.randn(1, 24, 3, **draw)),
        torch.randn(1, 10, **draw),
        torch.randn(1, 3, **draw),
    )
    posed = moving(state)

    def points(step):
        moved = moving.moved(state, posed, step[None])
        return body(
            moved.rotations[:, :1],
            moved.rotations[:, 1:],
            moved.betas,
            moved.transl,
            pose_format='matrix',
        ).vertices[0, ids]

    zero = torch.zeros(moving.num_unknowns, dtype=torch.float64)
    torch.testing.assert_close(posed.points[0].mT, points(zero))
    torch.testing.assert_close(
        moving.jacobian(state, posed)[0].permute(2, 1, 0), jacfwd(points)(zero)
    )


def test_few_shape_components_are_fitted_too():
    slim = SMPLBodyModel(num_betas=2)
    mesh = slim(
        torch.zeros(1, 3), torch.zeros(1, 69), torch.tensor([[1.0, -2.0]])
    ).vertices
    fit = BodyFitter(slim)(mesh)
    assert fit.betas.tolist() == [pytest.approx([1, -2], abs=0.02)]


def test_a_mesh_that_is_no_body_is_fitted_to_the_end(body, meshes):
    coarse = coarsen_mesh(body.v_template.numpy(), body.faces.numpy())
    up = torch.from_numpy(coarse.up)
    generator = torch.Generator().manual_seed(0)
    bumps = 0.02 * torch.randn(3, up.shape[1], 3, generator=generator)
    free = meshes + up @ bumps
    fit = BodyFitter(body)(free)
    further = BodyFitter(body, num_points=800, num_steps=60)(free)
    assert (fit.residual > 0.02).all()
    assert (fit.residual < 1.05 * further.residual).all()
    # Bumps of 35 mm are no shape and no pose: the body below them is found.
    assert error(body, fit.parameters(), meshes).mean() < 0.015
    assert fit.betas.abs().max() < 3.5


def test_only_the_mesh_that_is_not_finite_has_no_parameters(body, meshes):
    spoilt = meshes.clone()
    spoilt[1, 100, 2] = float('inf')
    fit, whole = BodyFitter(body)(spoilt), BodyFitter(body)(meshes)
    for value, expected in zip(fit, whole):
        assert value[1].isnan().all()
        assert value[[0, 2]].equal(expected[[0, 2]])


def test_a_mesh_without_extent_gives_finite_parameters(body, meshes):
    fit = BodyFitter(body)(torch.zeros_like(meshes))
    assert all(value.isfinite().all() for value in fit)


def test_noise_is_averaged_out(body, meshes):
    noise = 0.01 * torch.randn(
        meshes.shape, generator=torch.Generator().manual_seed(1)
    )
    params = fit_smpl(body, meshes + noise)
    # 400 points of 17 mm noise against 85 unknowns: a few millimetres.
    assert error(body, params, meshes).mean() < 6e-3


def test_the_closed_form_alone_is_near(body, meshes):
    params = fit_smpl(body, meshes, num_steps=0)
    assert error(body, params, meshes).mean() < 0.1
    assert not params['betas'].any()


def test_a_sample_does_not_depend_on_its_batch(body, meshes):
    alone = fit_smpl(body, meshes[1:2], num_steps=3)
    together = fit_smpl(body, meshes, num_steps=3)
    torch.testing.assert_close(
        body(**alone).vertices[0],
        body(**together).vertices[1],
        atol=1e-4,
        rtol=0,
    )


def test_an_empty_batch_is_fine(body, meshes):
    params = fit_smpl(body, meshes[:0])
    assert params['body_pose'].shape == (0, 69)
    assert params['betas'].shape == (0, 10)


def test_wrong_input_is_named(body, meshes):
    with pytest.raises(ValueError, match=f'{body.num_vertices}'):
        fit_smpl(body, meshes[:, :100])
    with pytest.raises(ValueError, match='NaN'):
        fit_smpl(body, torch.full_like(meshes[:1], float('nan')))
