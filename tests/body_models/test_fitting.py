"""From meshes back to parameters."""

import pytest
import torch

from mmd2a.body_models import fit_smpl


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


def test_noise_is_averaged_out(body, meshes):
    noise = 0.01 * torch.randn(
        meshes.shape, generator=torch.Generator().manual_seed(1)
    )
    params = fit_smpl(body, meshes + noise)
    # 800 points of 17 mm noise against 85 unknowns: a few millimetres.
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
