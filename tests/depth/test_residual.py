"""Depth rendered from a mesh against that mesh, and a wrong one."""

import numpy as np
import pytest
import torch

from mmd2a.depth import depth_residual, metres_per_unit, normalize_depth
from mmd2a.geometry import weak_perspective_project
from mmd2a.geometry.rasterization import rasterize_depth
from mmd2a.models.heads.mean_mesh import mean_vertices
from mmd2a.models.heads.surface_facing import surface_facing, vertex_rings

SIZE, FAR = 256, 300.0  # so far away, perspective is weak
CAMERA = torch.tensor([[0.9, 0.05, -0.1]])


@pytest.fixture(scope='module')
def scene(body):
    """A standing person, its normalised depth, and its vertices seen."""
    mesh = mean_vertices(body)
    mesh = mesh - mesh.mean(0)
    scale, x, y = CAMERA[0].tolist()
    focal = scale * SIZE / 2 * FAR
    K = [[focal, 0, (SIZE - 1) / 2], [0, focal, (SIZE - 1) / 2], [0, 0, 1]]
    placed = mesh + torch.tensor([x, y, FAR])
    depth = rasterize_depth(
        placed.numpy(), body.faces.numpy(), np.array(K), (SIZE, SIZE)
    )
    depth = torch.from_numpy(depth)[None, None]
    ids = torch.arange(0, body.num_vertices, 7)
    facing = surface_facing(mesh[None], vertex_rings(body.faces, ids))
    return mesh[None, ids], normalize_depth(depth), facing > 0.5, ids


def residual(mesh, depth, facing, **changes):
    points2d = weak_perspective_project(mesh, CAMERA)
    return depth_residual(depth, points2d, mesh[..., 2], facing, **changes)


def test_it_is_zero_at_the_truth_whatever_the_distance(scene):
    mesh, depth, facing, _ = scene
    r, known = residual(mesh, depth, facing)
    seen = r[facing & known].abs()
    assert len(seen) > 200
    assert seen.median() < 0.003
    # The rest lies on creases and edges, between two pixels.
    assert seen.quantile(0.8) < 0.01
    away = torch.tensor([0.0, 0.0, 5.0])
    torch.testing.assert_close(
        residual(mesh + away, depth, facing)[0], r, atol=1e-5, rtol=0
    )


def test_a_limb_moved_in_z_shows_by_that_much(scene, body):
    mesh, depth, facing, ids = scene
    arm = body.v_template[ids, 0] > 0.4
    moved = mesh.clone()
    moved[:, arm, 2] += 0.15
    r, known = residual(moved, depth, facing)
    on_arm = facing & known & arm
    assert on_arm.sum() > 20
    assert abs(r[on_arm].median() + 0.15) < 0.003
    assert r[facing & known & ~arm].abs().median() < 0.003


def test_the_back_of_the_body_is_behind_by_its_thickness(scene, body):
    mesh, depth, _, ids = scene
    rings = vertex_rings(body.faces, ids)
    everything = torch.zeros(1, body.num_vertices, 3)
    everything[0] = mean_vertices(body)
    facing = surface_facing(everything, rings)
    r, known = residual(mesh, depth, facing > 0.5)
    trunk = body.v_template[ids, 0].abs() < 0.12
    trunk &= body.v_template[ids, 1].abs() < 0.3
    back = r[known & (facing < -0.7) & trunk]
    assert len(back) > 10
    assert -0.4 < back.median() < -0.1


def test_missing_depth_leaves_no_trace(scene):
    mesh, depth, facing, _ = scene
    mesh, facing = mesh.expand(3, -1, -1), facing.expand(3, -1)
    depth = depth.repeat(3, 1, 1, 1)
    depth[1] = torch.nan
    depth[2, 0, :, : SIZE // 2] = torch.nan
    depth[2, 1, :, : SIZE // 2] = 0
    mesh = mesh.clone().requires_grad_()
    r, known = residual(
        mesh, depth, facing, has_depth=torch.tensor([1.0, 1.0, 1.0])
    )
    assert not r[1].any() and not known[1].any()
    left = weak_perspective_project(mesh[2:], CAMERA)[0, :, 0] < -0.02
    assert not known[2, left].any()
    both = known[0] & known[2] & facing[0]
    torch.testing.assert_close(r[0, both], r[2, both], atol=0.02, rtol=0)
    r.sum().backward()
    assert mesh.grad.isfinite().all() and not mesh.grad[1].any()
    nobody, known = residual(
        mesh, depth, facing, has_depth=torch.tensor([0.0, 0.0, 0.0])
    )
    assert not nobody.any() and not known.any()


def test_without_a_reference_the_offset_is_unknown(scene):
    mesh, depth, facing, _ = scene
    r, known = residual(mesh, depth, torch.zeros_like(facing))
    assert not r.any() and not known.any()


def test_the_unit_is_that_of_the_normalisation():
    assert metres_per_unit() == 0.6
    assert metres_per_unit(scale=0.3, clip=4.0) == 0.3
    assert metres_per_unit(mode='affine', scale=0.3) is None
