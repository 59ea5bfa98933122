"""Joints found by heat maps, and the mesh that hangs on them."""

import numpy as np
import pytest
import torch

from mmd2a.geometry.rotations import axis_angle_to_matrix
from mmd2a.models.heads import CoarseMeshHead, JointLocalizer
from mmd2a.models.heads.mean_mesh import mean_rotations, mean_vertices
from mmd2a.models.heads.mesh_from_joints import mesh_from_joints
from mmd2a.models.objectives import MeshObjective
from mmd2a.structures import LocalizedJoints, TokenMap

B, J, F, SIZE = 2, 14, 8, 24
MAPS = {16: SIZE, 32: SIZE // 2, 64: SIZE // 4}


def maps(dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    torch.manual_seed(1)
    return [torch.randn(B, c, s, s, dtype=dtype) for c, s in MAPS.items()]


@pytest.fixture
def localizer() -> JointLocalizer:
    torch.manual_seed(0)
    return JointLocalizer(list(MAPS), num_joints=J, channels=F).eval()


def test_moments_are_those_of_the_heat_maps(localizer):
    torch.nn.init.normal_(localizer.heatmaps.weight, std=2.0)
    joints = localizer(maps())
    logits = joints.logits.detach().double().numpy()
    share = np.exp(logits - logits.max((2, 3), keepdims=True))
    share /= share.sum((2, 3), keepdims=True)
    place = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    x, y = np.meshgrid(place, place)
    for axis, where in enumerate((x, y)):
        mean = (share * where).sum((2, 3))
        variance = (share * where**2).sum((2, 3)) - mean**2
        np.testing.assert_allclose(
            joints.keypoints2d[..., axis].detach(), mean, atol=1e-5
        )
        np.testing.assert_allclose(
            joints.spread[..., axis].detach() ** 2, variance, atol=1e-5
        )


def test_a_sharp_heat_map_is_a_place_and_its_features(localizer):
    """A one-hot heat map finds the centre of its cell and what is there."""
    cell = (5, 17)
    found = {}

    def one_hot(module, inputs, output):
        found['map'] = inputs[0]
        output = torch.zeros_like(output)
        output[:, :, cell[0], cell[1]] = 100.0
        return output

    localizer.heatmaps.register_forward_hook(one_hot)
    joints = localizer(maps())
    x, y = (2 * cell[1] + 1) / SIZE - 1, (2 * cell[0] + 1) / SIZE - 1
    torch.testing.assert_close(
        joints.keypoints2d, torch.tensor([x, y]).expand(B, J, 2)
    )
    there = found['map'][:, :, cell[0], cell[1]]
    torch.testing.assert_close(joints.features, there[:, None].expand(B, J, F))


def test_labels_without_weight_leave_no_trace(localizer):
    joints = localizer(maps())
    keypoints2d = torch.full((B, J, 2), torch.nan)
    losses = localizer.loss(joints, keypoints2d, torch.zeros(B, J))
    assert {value.item() for value in losses.values()} == {0.0}
    sum(losses.values()).backward()
    for parameter in localizer.parameters():
        assert parameter.grad is not None
        assert not parameter.grad.any()


def test_a_joint_outside_is_drawn_by_its_distance_alone(localizer):
    joints = localizer(maps())
    keypoints2d, weight = torch.zeros(B, J, 2), torch.zeros(B, J)
    keypoints2d[0, 3], weight[0, 3] = torch.tensor([0.0, 1.4]), 1.0
    losses = localizer.loss(joints, keypoints2d, weight)
    assert losses['loss_heatmap'] == 0
    assert losses['loss_localized'] > 0


def test_the_cross_entropy_is_least_at_the_gaussian(localizer):
    """Its gradient vanishes where the heat map is the target."""
    keypoints2d = torch.rand(B, J, 2) - 0.5
    joints = localizer(maps())
    target = localizer._gaussians(keypoints2d, (SIZE, SIZE))
    torch.testing.assert_close(target.sum(-1), torch.ones(B, J))
    logits = target.clamp_min(1e-30).log().view_as(joints.logits)
    logits = logits.requires_grad_()
    loss = localizer.loss(
        joints._replace(logits=logits), keypoints2d, torch.ones(B, J)
    )['loss_heatmap']
    (gradient,) = torch.autograd.grad(loss, logits)
    assert gradient.abs().max() < 1e-7


def test_gradients_are_those_of_differences(localizer):
    localizer = localizer.double()
    inputs = [m[:, :, ::4, ::4].clone() for m in maps(torch.float64)]
    inputs = [m.requires_grad_() for m in inputs]
    assert torch.autograd.gradcheck(
        lambda *m: localizer(m)[:3], inputs, fast_mode=True
    )


def test_a_wrong_number_of_maps_is_named(localizer):
    with pytest.raises(ValueError, match='3 maps .*got 2'):
        localizer(maps()[:2])


def test_the_mesh_moves_and_turns_with_the_joints(body):
    ids = torch.arange(0, body.num_vertices, 50)
    weights = mesh_from_joints(body, 'h36m14', ids)
    torch.testing.assert_close(weights.sum(1), torch.ones(len(ids)))
    assert torch.equal(weights, mesh_from_joints(body, 'h36m14', ids))
    torch.manual_seed(5)
    turn = axis_angle_to_matrix(torch.randn(3))
    pose = mean_rotations() @ axis_angle_to_matrix(0.3 * torch.randn(24, 3))
    mesh = body(
        pose[None, :1],
        pose[None, 1:],
        torch.zeros(1, body.num_betas),
        pose_format='matrix',
    ).vertices
    joints = body.regress_joints(mesh, 'h36m14')
    placed = weights @ joints
    torch.testing.assert_close(
        weights @ (joints @ turn.T + 2), placed @ turn.T + 2
    )
    # Against a mesh that knows the place of the person only.
    centre = joints.mean(1, keepdim=True)
    error = (placed - mesh[:, ids]).norm(dim=-1).mean()
    constant = mean_vertices(body)[None]
    constant = constant - body.regress_joints(constant, 'h36m14').mean(1)
    away = (constant[:, ids] + centre - mesh[:, ids]).norm(dim=-1).mean()
    assert error < 0.4 * away


def found(keypoints2d: torch.Tensor) -> LocalizedJoints:
    count = len(keypoints2d)
    return LocalizedJoints(
        keypoints2d,
        torch.full((count, J, 2), 0.1),
        torch.zeros(count, J, F),
        torch.zeros(count, J, 4, 4),
    )


def test_the_mesh_projects_where_the_joints_were_found(body):
    """Before anything is learned, for joints of a person."""
    head = CoarseMeshHead(
        16, body, 216, hidden=32, joint_set='h36m14', joint_channels=F
    )
    torch.nn.init.zeros_(head.regressor.output.weight)
    objective = MeshObjective(body)
    mesh = head.upsample(head.mean_coarse[None])
    camera = torch.tensor([[0.7, 0.1, -0.2]])
    person = objective.centre(dict(vertices=mesh, camera=camera))
    moved = person['keypoints2d'] + 0.05 * torch.randn(1, J, 2)
    tokens = TokenMap(torch.randn(1, 36, 16), (6, 6))
    output = objective.centre(head(tokens, None, found(moved)))
    distance = (output['keypoints2d'] - moved).norm(dim=-1)
    assert distance.mean() < 0.03


def test_localised_joints_and_a_head_without_them(body):
    head = CoarseMeshHead(16, body, 100, hidden=32)
    tokens = TokenMap(torch.randn(1, 36, 16), (6, 6))
    with pytest.raises(ValueError, match='localizer='):
        head(tokens, None, found(torch.zeros(1, J, 2)))


def test_a_root_that_is_no_joint_is_named(body):
    with pytest.raises(ValueError, match='head.root.*tail.*left_hip'):
        CoarseMeshHead(16, body, 100, joint_set='h36m14', root=('tail',))


def test_blocks_start_as_nothing_and_learn():
    maps = [torch.rand(2, 8, 16 >> i, 16 >> i) for i in range(3)]
    torch.manual_seed(0)
    without = JointLocalizer([8, 8, 8], num_blocks=0).eval()
    within = JointLocalizer([8, 8, 8], num_blocks=2).eval()
    within.load_state_dict(without.state_dict(), strict=False)
    assert torch.equal(within(maps).logits, without(maps).logits)
    # Every level but the finest has them, and all of their last layers learn.
    assert [len(level) for level in within.blocks] == [2, 2]
    within.train()(maps).keypoints2d.square().sum().backward()
    for level in within.blocks:
        for block in level:
            assert block.layers[-1].weight.grad.abs().sum() > 0
