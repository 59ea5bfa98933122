"""Both mesh heads: shapes, the start, the depth skip, gradients."""

from functools import partial

import pytest
import torch
from torch import Tensor

from mmd2a.models.heads import CoarseMeshHead, SMPLHead
from mmd2a.models.heads.mean_mesh import mean_vertices
from mmd2a.registry import MODELS
from mmd2a.structures import TokenMap

C, C_DEPTH, K = 24, 12, 60
HEADS = {
    'coarse': CoarseMeshHead,
    'smpl': SMPLHead,
    'smpl in three iterations': partial(SMPLHead, iterations=3),
}


@pytest.fixture(params=HEADS)
def build(request, body):
    def build_head(**kwargs):
        torch.manual_seed(0)
        kwargs = (
            dict(
                body_model=body,
                num_coarse_vertices=K,
                hidden=32,
                depth_channels=C_DEPTH,
            )
            | kwargs
        )
        return HEADS[request.param](C, **kwargs)

    return build_head


def tokens(
    batch: int = 2, grid: tuple[int, int] = (6, 6)
) -> tuple[Tensor, tuple[int, int], Tensor]:
    torch.manual_seed(1)
    count = grid[0] * grid[1]
    return (
        torch.randn(batch, count, C),
        grid,
        torch.randn(batch, count, C_DEPTH),
    )


def ask(head, z, grid, depth=None, has=None, depth_grid=None):
    """Call with tensors: tokens of image and depth."""
    if depth is not None:
        depth = TokenMap(depth, depth_grid or grid, has)
    return head(TokenMap(z, grid), depth)


def disturb(head: torch.nn.Module) -> torch.nn.Module:
    """Move a head away from its start."""
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return head


@pytest.mark.parametrize('grid', [(6, 6), (7, 7), (8, 6), (3, 4), (16, 12)])
def test_any_token_grid_gives_a_mesh_and_a_camera(build, body, grid):
    head = build()
    out = ask(head, *tokens(2, grid))
    assert out['vertices'].shape == (2, body.num_vertices, 3)
    assert out['coarse_vertices'].shape == (2, K, 3)
    assert out['camera'].shape == (2, 3)
    assert head.num_coarse_vertices == K


def test_depth_tokens_may_have_a_grid_of_their_own(build):
    head = build()
    z, grid, _ = tokens(2, (6, 6))
    depth = tokens(2, (3, 4))[2]
    out = ask(head, z, grid, depth, torch.ones(2), depth_grid=(3, 4))
    assert not torch.equal(out['vertices'], ask(head, z, grid)['vertices'])
    with pytest.raises(ValueError, match='for a grid of'):
        ask(head, z, grid, depth)


def test_starts_as_a_person_upright_before_the_camera(build, body):
    out = ask(build(), *tokens())
    expected = mean_vertices(body)
    error = (out['vertices'] - expected).norm(dim=-1)
    assert error.median() < 0.01
    # OpenCV: y down, so the head (joint 15) is above the ankles (7, 8).
    joints = body.regress_joints(out['vertices'], 'smpl24')
    assert (joints[:, 15, 1] < joints[:, 7, 1] - 1).all()
    # Facing the camera, left is on the right of the image, and toes are
    # nearer than ankles.
    assert (joints[:, 16, 0] > joints[:, 17, 0] + 0.2).all()
    assert (joints[:, 10, 2] < joints[:, 7, 2]).all()
    # A person of 1.8 m takes up most of the crop, which spans 2.
    scale = out['camera'][:, 0]
    torch.testing.assert_close(scale, torch.full((2,), 0.9), atol=0.03, rtol=0)
    assert out['camera'][:, 1:].abs().max() < 0.1


@pytest.mark.parametrize('depth_channels', [None, C_DEPTH])
def test_every_parameter_learns(build, depth_channels):
    head = build(depth_channels=depth_channels)
    z, grid, depth = tokens()
    out = ask(head, z, grid, depth)
    sum(x.square().sum() for x in out.values()).backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize('given', ['nothing', 'closed', 'nan'])
def test_without_depth_every_parameter_still_has_a_gradient(build, given):
    head = build()
    z, grid, depth = tokens()
    args = dict(
        nothing=(),
        closed=(depth, torch.zeros(2)),
        nan=(depth * torch.nan, torch.zeros(2)),
    )[given]
    ask(head, z, grid, *args)['vertices'].sum().backward()
    for name, parameter in head.named_parameters():
        if 'depth' in name:
            assert (parameter.grad == 0).all(), name
        assert parameter.grad.isfinite().all(), name


def test_closed_depth_leaves_no_trace(build):
    head = disturb(build())
    z, grid, depth = tokens(3)
    has_depth = torch.tensor([1.0, 0.0, 1.0])
    mixed = ask(head, z, grid, depth, has_depth)
    depth[1] = torch.nan
    garbage = ask(head, z, grid, depth, has_depth)
    none = ask(head, z, grid)
    every = ask(head, z, grid, torch.nan_to_num(depth))
    for key, value in mixed.items():
        assert torch.equal(value, garbage[key])
        torch.testing.assert_close(value[1], none[key][1])
        torch.testing.assert_close(value[::2], every[key][::2])
    assert not torch.allclose(mixed['vertices'][0], none['vertices'][0])


def test_without_depth_channels_there_is_nothing_of_depth(build):
    head = build(depth_channels=None)
    assert not [n for n, _ in head.named_parameters() if 'depth' in n]
    z, grid, depth = tokens()
    assert torch.equal(
        ask(head, z, grid)['vertices'],
        ask(head, z, grid, depth, torch.ones(2))['vertices'],
    )


def test_where_a_token_is_matters(build):
    head = disturb(build())
    z, grid, depth = tokens()
    moved = ask(head, z.flip(1), grid, depth)['vertices']
    assert not torch.allclose(moved, ask(head, z, grid, depth)['vertices'])


def test_checkpoint_holds_no_body(build, body):
    state = build().state_dict()
    learned = {name for name, _ in build().named_parameters()}
    assert set(state) == learned


def test_half_precision_networks_give_full_precision_meshes(build):
    head = build()
    with torch.autocast('cpu', torch.bfloat16):
        out = ask(head, *tokens())
    exact = ask(head, *tokens())
    assert all(x.dtype == torch.float32 for x in out.values())
    assert (out['vertices'] - exact['vertices']).abs().max() < 0.005


def test_empty_batch_passes(build):
    out = ask(build(), *tokens(0))
    assert out['vertices'].shape[0] == 0


def test_camera_scale_is_always_positive(build):
    head = build()
    torch.nn.init.constant_(head.regressor.output.bias, -30.0)
    assert (ask(head, *tokens())['camera'][:, 0] > 0).all()


def test_tokens_that_do_not_fill_the_grid_are_refused(build):
    z, _, depth = tokens()
    with pytest.raises(ValueError, match='for a grid of'):
        ask(build(), z, (5, 6), depth)


@pytest.mark.parametrize('name', ['CoarseMeshHead', 'SMPLHead'])
@pytest.mark.parametrize('cfg', [{}, dict(type='mmd2a.SMPLBodyModel')])
def test_builds_from_a_config(name, cfg, body):
    head = MODELS.build(
        dict(
            type=f'mmd2a.{name}',
            in_channels=C,
            body_model=cfg,
            num_coarse_vertices=K,
        )
    )
    out = ask(head, *tokens()[:2])
    assert out['vertices'].shape[1] == body.num_vertices


def test_full_mesh_is_the_upsampled_coarse_mesh(body):
    head = CoarseMeshHead(C, body, K, hidden=8)
    out = ask(head, *tokens()[:2])
    torch.testing.assert_close(
        out['vertices'], head.up @ out['coarse_vertices'], atol=1e-5, rtol=1e-4
    )
    # It starts geometric and learns.
    with torch.no_grad():
        head.up_correction[5] = 1.0
    moved = ask(head, *tokens()[:2])['vertices'] - out['vertices']
    torch.testing.assert_close(
        moved[:, 5], out['coarse_vertices'].mean(1), atol=1e-5, rtol=1e-3
    )
    assert (moved[:, 6] == 0).all()


def test_smpl_mesh_is_the_body_with_its_parameters(body):
    head = disturb(SMPLHead(C, body, K, hidden=8))
    out = ask(head, *tokens()[:2])
    assert out['global_orient'].shape == (2, 1, 3, 3)
    assert out['body_pose'].shape == (2, 23, 3, 3)
    assert out['betas'].shape == (2, body.num_betas)
    rotations = torch.cat([out['global_orient'], out['body_pose']], 1)
    torch.testing.assert_close(
        rotations @ rotations.mT,
        torch.eye(3).expand(2, 24, 3, 3),
        atol=1e-5,
        rtol=0,
    )
    torch.testing.assert_close(
        out['vertices'],
        body(
            out['global_orient'],
            out['body_pose'],
            out['betas'],
            pose_format='matrix',
        ).vertices,
    )
    distance = torch.cdist(out['coarse_vertices'], out['vertices'])
    assert distance.min(-1).values.max() < 1e-3


def test_iterations_correct_what_was_told_before(body):
    """The first is as if there were one; the rest see the last."""
    head = disturb(SMPLHead(C, body, K, hidden=8, iterations=3)).regressor
    z = TokenMap(*tokens()[:2])
    features = head.mix(
        head._flatten(head.reduce(head.norm(z.tokens)), z.grid)
    )
    expected = head.output(features)
    for _ in range(2):
        seen = torch.cat([features, expected], 1)
        expected = expected + head.output(head.again(seen))
    torch.testing.assert_close(head(z), expected)
    with pytest.raises(ValueError, match='iterations=0'):
        SMPLHead(C, body, K, iterations=0)


def test_sigma_of_vertices_is_never_negative_nor_beyond_the_coarse_ones(build):
    """Whatever the correction of the upsampling has learned."""
    head, sigma = build(), torch.rand(4, K, 3) ** 4 + 1e-3
    for size in (0.0, 1.0, 100.0):
        if hasattr(head, 'up_correction'):
            torch.nn.init.normal_(head.up_correction, std=size)
        full = head.upsample_sigma(sigma)
        assert full.shape == (4, len(head.up), 3)
        low, high = sigma.amin(1, True), sigma.amax(1, True)
        assert (full >= 0.999 * low).all() and (full <= 1.001 * high).all()
    # The interpolation of the mesh itself goes below zero.
    assert ((head.up @ sigma) < 0).any()


def test_vertex_that_is_a_coarse_one_has_its_sigma(build):
    head, sigma = build(), torch.rand(2, K, 3) + 0.01
    full = head.upsample_sigma(sigma)
    torch.testing.assert_close(full[:, head.coarse_ids], sigma)


def test_sigma_follows_the_weights_that_make_the_mesh(body):
    """A vertex moved wholly to one coarse vertex has its sigma."""
    head = CoarseMeshHead(C, body_model=body, num_coarse_vertices=K)
    vertex, coarse = 100, 7
    with torch.no_grad():
        head.up_correction[vertex] = -K * head.up[vertex]
        head.up_correction[vertex, coarse] += K
    points, sigma = torch.randn(1, K, 3), torch.rand(1, K, 3) + 0.01
    torch.testing.assert_close(
        head.upsample(points)[:, vertex], points[:, coarse]
    )
    torch.testing.assert_close(
        head.upsample_sigma(sigma)[:, vertex], sigma[:, coarse]
    )


def test_one_sigma_for_all_stays_it(build):
    sigma = torch.full((1, K, 3), 0.05)
    full = build().upsample_sigma(sigma)
    torch.testing.assert_close(full, torch.full_like(full, 0.05))


def test_sigma_is_carried_in_full_precision(build):
    head, sigma = build(), torch.rand(2, K, 3) + 0.01
    expected = head.upsample_sigma(sigma)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(head.upsample_sigma(sigma), expected)


def test_a_pooled_head_does_not_know_where_a_token_was(body):
    """As the regressor of HMR: the mean of all tokens."""
    torch.manual_seed(0)
    settings = dict(body_model=body, num_coarse_vertices=K, hidden=32)
    pooled = disturb(SMPLHead(C, grid_size=1, reduced=C, **settings))
    on_a_grid = disturb(SMPLHead(C, **settings))
    z, grid, _ = tokens()
    for head, same in ((pooled, True), (on_a_grid, False)):
        given = ask(head, z, grid)['vertices']
        moved = ask(head, z.flip(1), grid)['vertices']
        assert torch.allclose(given, moved, atol=1e-5) == same
    assert pooled.regressor.mix[0].in_features == C
