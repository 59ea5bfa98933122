"""The second step: zero at the start, and what it is told and may change."""

import pytest
import torch

from mmd2a.models.heads import MeshRefiner
from mmd2a.models.heads.coarse_body import coarsen_body
from mmd2a.models.heads.mean_mesh import mean_vertices
from mmd2a.models.objectives import MeshObjective
from mmd2a.structures import LocalizedJoints

B, J, K, SIZE = 2, 14, 60, 32


@pytest.fixture(scope='module')
def ids(body):
    return coarsen_body(body, K)[1]


def build(body, ids, **changes):
    torch.manual_seed(0)
    options = dict(sigma_dims=3, num_vertex_tokens=20, embed_dims=16)
    refiner = MeshRefiner(ids, body, **{**options, **changes})
    return refiner


def learned(refiner):
    """As after some steps: it corrects."""
    torch.nn.init.normal_(refiner.output.weight, std=0.1)
    return refiner


def first_step(body, ids, dtype=torch.float32, sigma_points=J + K, dims=3):
    torch.manual_seed(1)
    mesh = mean_vertices(body) + 0.02 * torch.randn(B, 1, 3)
    output = MeshObjective(body).centre(
        dict(
            vertices=mesh,
            coarse_vertices=mesh[:, ids],
            camera=torch.tensor([[0.8, 0.0, 0.1]]).repeat(B, 1),
        )
    )
    output['sigma'] = 0.05 + 0.1 * torch.rand(B, sigma_points, dims)
    output = {key: value.to(dtype) for key, value in output.items()}
    output['localized'] = LocalizedJoints(
        output['keypoints2d'] + 0.05 * torch.randn(B, J, 2, dtype=dtype),
        torch.rand(B, J, 2, dtype=dtype),
        torch.randn(B, J, 4, dtype=dtype),
        torch.randn(B, J, 4, 4, dtype=dtype),
    )
    return output


def depth_maps(dtype=torch.float32):
    torch.manual_seed(2)
    depth = 0.2 * torch.randn(B, 2, SIZE, SIZE, dtype=dtype)
    depth[:, 1] = 1.0
    return depth


def test_it_starts_at_the_first_mesh(body, ids):
    first = first_step(body, ids)
    refined = build(body, ids)(first, depth_maps())
    for key in ('vertices', 'coarse_vertices', 'sigma'):
        assert torch.equal(refined[key], first[key])


def test_the_coarse_mesh_stays_part_of_the_mesh(body, ids):
    first = first_step(body, ids)
    refined = learned(build(body, ids))(first, depth_maps())
    moved = refined['vertices'] - first['vertices']
    assert moved.abs().max() > 0.001
    torch.testing.assert_close(
        refined['coarse_vertices'] - first['coarse_vertices'], moved[:, ids]
    )
    ratio = refined['sigma'] / first['sigma']
    assert (ratio != 1).any() and (ratio > 0.13).all() and (ratio < 7.4).all()


def test_it_is_told_the_residuals_in_tenths_of_a_metre(body, ids):
    """Depth that agrees with the joints, and one joint out of place."""
    refiner, first = build(body, ids), first_step(body, ids)
    joints = first['keypoints2d'].clone()
    joints[:, 3, 0] += 0.8 * 0.1
    first['localized'] = first['localized']._replace(keypoints2d=joints)
    flat = refiner._features(first, None, None)[..., 4:6]
    expected = torch.zeros_like(flat)
    expected[:, 3, 0] = 1.0
    torch.testing.assert_close(flat, expected)
    # A wall, at which the mesh does not lie: minus z, about its median.
    wall = torch.ones(B, 2, SIZE, SIZE)
    wide = dict(first, camera=first['camera'] * torch.tensor([0.5, 1, 1]))
    told = refiner._features(wide, wall, None)
    vertices, z = told[:, J:, :4], wide['vertices'][:, refiner.token_ids, 2]
    seen = told[:, J:, 11] > 0.35
    for one in range(B):
        median = z[one][seen[one]].sort().values[-(seen[one].sum() + 1) // 2]
        torch.testing.assert_close(
            vertices[one, :, 0], (median - z[one]) / 0.1, atol=1e-3, rtol=0
        )
    assert (vertices[..., 3] == 1).all()
    near = vertices[..., 0].abs() < 3
    assert torch.equal(vertices[..., 2] > 0, near)
    assert torch.equal(vertices[..., 1] != 0, near & (vertices[..., 0] != 0))


def test_blanked_depth_is_an_image_only_step_of_equal_capacity(body, ids):
    full = learned(build(body, ids))
    blank = build(body, ids, use_depth=False)
    blank.load_state_dict(full.state_dict())
    first = first_step(body, ids)
    nobody = full(first, None)['vertices']
    assert torch.equal(blank(first, depth_maps())['vertices'], nobody)
    assert not torch.equal(full(first, depth_maps())['vertices'], nobody)
    # ... and the image alone still corrects.
    other = dict(
        first,
        localized=first['localized']._replace(
            keypoints2d=first['keypoints2d']
        ),
    )
    assert not torch.equal(full(other, None)['vertices'], nobody)


def test_missing_depth_leaves_no_trace(body, ids):
    refiner, first = learned(build(body, ids)), first_step(body, ids)
    results = []
    for garbage in (0.0, torch.nan):
        depth = depth_maps()
        depth[1] = garbage
        refiner.zero_grad()
        refined = refiner(first, depth, torch.tensor([1.0, 0.0]))
        refined['vertices'].square().sum().backward()
        results.append(
            [
                refined['vertices'],
                *(
                    p.grad.clone()
                    for p in refiner.parameters()
                    if p.grad is not None
                ),
            ]
        )
    for a, b in zip(*results):
        assert a.isfinite().all() and torch.equal(a, b)
    alone = refiner(first, None)['vertices']
    torch.testing.assert_close(results[0][0][1], alone[1])


@pytest.mark.parametrize('use_depth', [True, False])
@pytest.mark.parametrize('localized', [True, False])
@pytest.mark.parametrize('dims', [None, 2, 3])
def test_any_combination_trains_every_parameter(
    dims, localized, use_depth, body, ids
):
    refiner = build(body, ids, sigma_dims=dims, use_depth=use_depth)
    points = J if dims == 2 else J + K
    first = first_step(body, ids, sigma_points=points, dims=dims or 3)
    if dims is None:
        del first['sigma']
    if not localized:
        del first['localized']
    optimizer = torch.optim.SGD(refiner.parameters(), lr=1e-2)
    for _ in range(2):
        refined = refiner(first, depth_maps(), torch.tensor([1.0, 0.0]))
        optimizer.zero_grad()
        loss = (refined['vertices'] - 1).square().mean()
        if dims is not None:
            loss = loss + refined['sigma'].log().square().mean()
        loss.backward()
        assert all(p.grad is not None for p in refiner.parameters())
        optimizer.step()
    assert all(p.grad.any() for p in refiner.parameters())


@pytest.mark.parametrize('detach', [True, False])
def test_gradients_reach_the_first_mesh_if_asked(detach, body, ids):
    refiner = learned(build(body, ids, detach=detach))
    first = first_step(body, ids)
    leaves = dict(
        vertices=first['vertices'].requires_grad_(),
        sigma=first['sigma'].requires_grad_(),
        joints=first['localized'].keypoints2d.requires_grad_(),
    )
    refined = refiner(first, depth_maps())
    (refined['vertices'].sum() + refined['sigma'].sum()).backward()
    for leaf in leaves.values():
        assert (leaf.grad is None) == detach


def test_gradients_are_those_of_differences(body, ids):
    refiner = learned(build(body, ids, detach=False)).double()
    first = first_step(body, ids, torch.float64)
    depth = depth_maps(torch.float64)
    localized = first['localized']

    def run(joints3d, sigma, keypoints2d, depth):
        given = dict(
            first,
            keypoints3d=joints3d,
            sigma=sigma,
            localized=localized._replace(keypoints2d=keypoints2d),
        )
        refined = refiner(given, depth)
        return refined['coarse_vertices'], refined['sigma']

    inputs = [first['keypoints3d'], first['sigma'], localized.keypoints2d]
    inputs = [x.clone().requires_grad_() for x in (*inputs, depth)]
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)


def test_a_temperature_of_sigma_is_no_news_and_stays(body, ids):
    refiner, first = learned(build(body, ids)), first_step(body, ids)
    refined = refiner(first, depth_maps())
    hot = dict(first, sigma=first['sigma'] * 1.5)
    warmed = refiner(hot, depth_maps(), temperature=torch.tensor(1.5))
    torch.testing.assert_close(warmed['vertices'], refined['vertices'])
    torch.testing.assert_close(warmed['sigma'], refined['sigma'] * 1.5)


def test_depth_without_a_unit_is_refused(body, ids):
    with pytest.raises(ValueError, match='refiner.use_depth=False'):
        build(body, ids, metres_per_unit=None)
    build(body, ids, metres_per_unit=None, use_depth=False)
