"""Turned people are those whom a camera turned about them sees."""

import math

import pytest
import torch

from mmd2a.geometry import (
    axis_angle_to_matrix,
    normalize_keypoints2d,
    project_points,
)
from mmd2a.geometry.rasterization import rasterize_silhouette
from mmd2a.models.objectives import MeshObjective
from mmd2a.models.objectives.silhouettes import draw_silhouettes

YAWS = torch.tensor([math.pi / 2, 0.7, -2.0, 3.1, 0.0])


@pytest.fixture(scope='module')
def objective():
    return MeshObjective()


@pytest.fixture(scope='module')
def samples(objective, make_sample):
    return [make_sample(objective.body_model, i) for i in range(len(YAWS))]


def seen_by_a_turned_camera(points, pivot, yaw):
    """World points (P, 3) in the axes of a camera that went round the pivot.

    The camera started at the origin. At 90 degrees it stands at the left of
    the pivot, -x of it, and looks along +x.
    """
    cos, sin = math.cos(yaw), math.sin(yaw)
    right = points.new_tensor([cos, 0, -sin])
    ahead = points.new_tensor([sin, 0, cos])
    down = points.new_tensor([0.0, 1, 0])
    # As far from the vertical through the pivot as it was before.
    x, _, z = pivot
    place = pivot - torch.stack(
        [x * right[0] + z * ahead[0], pivot[1], x * right[2] + z * ahead[2]]
    )
    axes = torch.stack([right, down, ahead])
    return (points - place) @ axes.T


def test_the_turned_camera_stands_where_the_paper_draws_it():
    pivot = torch.tensor([0.0, 0, 4])
    seen = seen_by_a_turned_camera(torch.zeros(1, 3), pivot, math.pi / 2)
    # Where the first camera was is at the right of the second.
    torch.testing.assert_close(seen, torch.tensor([[4.0, 0, 4]]))


def test_projecting_turned_joints_is_looking_with_a_turned_camera(
    objective, samples, camera
):
    K, side = camera
    front = objective.targets(samples)
    gt = objective.targets(samples, yaw=YAWS)
    assert gt['keypoints2d_weight'].all()
    for i, yaw in enumerate(YAWS):
        world = samples[i].gt.keypoints3d.double()
        pivot = front['root3d'][i, 0].double()
        seen = seen_by_a_turned_camera(world, pivot, float(yaw))
        expected = normalize_keypoints2d(
            project_points(seen, K.double()), (side, side)
        )
        torch.testing.assert_close(
            gt['keypoints2d'][i].double(), expected, atol=1e-5, rtol=0
        )


def test_the_same_in_double_precision_to_a_millionth(
    objective, make_sample, camera
):
    K, side = camera
    body = objective.body_model
    sample = make_sample(body)
    gt = {
        key: value.double()
        for key, value in objective.targets([sample]).items()
    }
    turned = objective.turned(gt, 0.7)
    for key in ('vertices', 'keypoints3d'):
        pivot = gt['root3d'][0, 0]
        seen = seen_by_a_turned_camera(gt[key][0] + pivot, pivot, 0.7)
        torch.testing.assert_close(
            turned[key][0] + pivot, seen, atol=1e-9, rtol=0
        )
    projected = normalize_keypoints2d(
        project_points(
            seen_by_a_turned_camera(
                gt['keypoints3d'][0] + gt['root3d'][0], gt['root3d'][0, 0], 0.7
            ),
            K.double(),
        ),
        (side, side),
    )
    torch.testing.assert_close(
        turned['keypoints2d'][0], projected, atol=1e-6, rtol=0
    )


def test_someone_facing_right_is_seen_from_behind(objective, make_sample):
    """Facing +x in the image, at 90 degrees facing +z: away."""
    sample = make_sample(objective.body_model)
    # A body faces its own +z; half a turn about x puts it upright.
    upright = axis_angle_to_matrix(torch.tensor([math.pi, 0, 0]))
    half = math.sqrt(0.5) * math.pi
    sample.gt.global_orient = torch.tensor([half, 0, half])
    facing = axis_angle_to_matrix(sample.gt.global_orient)[:, 2]
    torch.testing.assert_close(
        facing, torch.tensor([1.0, 0, 0]), atol=1e-6, rtol=0
    )
    assert not torch.allclose(facing, upright[:, 2])
    gt = objective.targets([sample], yaw=math.pi / 2)
    turned = axis_angle_to_matrix(gt['global_orient'][0])[:, 2]
    torch.testing.assert_close(
        turned, torch.tensor([0.0, 0, 1]), atol=1e-6, rtol=0
    )


def test_only_the_root_turns_and_shape_stays(objective, samples):
    front = objective.targets(samples)
    gt = objective.targets(samples, yaw=YAWS)
    for key in ('body_pose', 'betas', 'smpl_weight', 'root3d', 'K'):
        assert torch.equal(gt[key], front[key])
    assert not torch.equal(gt['global_orient'][0], front['global_orient'][0])


def test_a_whole_turn_is_none(objective, samples):
    front = objective.targets(samples)
    gt = objective.targets(samples, yaw=2 * math.pi)
    for key in front.keys() - {'global_orient', 'mask_weight'}:
        torch.testing.assert_close(gt[key], front[key], atol=1e-5, rtol=0)
    torch.testing.assert_close(
        axis_angle_to_matrix(gt['global_orient']),
        axis_angle_to_matrix(front['global_orient']),
        atol=1e-5,
        rtol=0,
    )


@pytest.mark.parametrize('yaw', [math.nan, math.inf])
def test_an_angle_that_is_none_is_refused(yaw, objective, samples):
    with pytest.raises(ValueError, match='yaw must be finite'):
        objective.targets(samples, yaw=yaw)


@pytest.mark.parametrize('size', [64, 32])
def test_silhouettes_are_what_the_turned_camera_sees(
    size, objective, samples, camera
):
    """Drawn from the turned mesh, against the mesh before a turned camera."""
    K, side = camera
    body = objective.body_model
    front = objective.targets(samples)
    masks, weight = draw_silhouettes(
        objective.turned(front, YAWS), body.faces, (size, size)
    )
    assert masks.shape == (len(YAWS), 1, size, size) and weight.all()
    share = size / side
    small = K.clone()
    small[:2, :2] *= share
    small[:2, 2] = (K[:2, 2] + 0.5) * share - 0.5
    for i, yaw in enumerate(YAWS):
        pivot = front['root3d'][i, 0].double()
        world = front['vertices'][i].double() + pivot
        seen = seen_by_a_turned_camera(world, pivot, float(yaw))
        truth = rasterize_silhouette(
            seen[None], body.faces, small, (size, size)
        )[0]
        assert 0.02 < truth.float().mean() < 0.6
        # Rounding may move an edge over a pixel's centre.
        assert (masks[i, 0].bool() != truth).sum() <= 2


def test_silhouettes_that_are_not_known_have_no_weight(objective, make_sample):
    body = objective.body_model
    rootless = make_sample(body, 1)
    rootless.gt.keypoints3d_weight = torch.zeros(14)
    unknown = torch.tensor(0.0)
    near = make_sample(body, 4)
    near.gt.keypoints3d = near.gt.keypoints3d - torch.tensor([0, 0, 3.9])
    people = [
        make_sample(body, 0),
        rootless,
        make_sample(body, 2, smpl_weight=unknown),
        make_sample(body, 3, K=torch.zeros(3, 3)),
        near,
    ]
    gt = objective.targets(people, yaw=1.0)
    masks, weight = draw_silhouettes(gt, body.faces, (16, 16))
    assert weight.tolist() == [1, 0, 0, 0, 0]
    assert masks[0].any() and not masks[1:].any()


def test_nobody_known_draws_nobody(objective, make_sample):
    sample = make_sample(objective.body_model, smpl_weight=torch.tensor(0.0))
    gt = objective.targets([sample])
    masks, weight = draw_silhouettes(gt, objective.body_model.faces, (8, 8))
    assert masks.shape == (1, 1, 8, 8) and not masks.any()
    assert not weight.any()
