"""The objective: labels are checked, centred and turned; None is off."""

import math

import pytest
import torch

from mmd2a.geometry import (
    axis_angle_to_matrix,
    normalize_keypoints2d,
    project_points,
)
from mmd2a.models.objectives import MeshObjective
from mmd2a.structures import BodyDataSample

TERMS = ('loss_vertices', 'loss_keypoints3d', 'loss_keypoints2d')


@pytest.fixture(scope='module')
def objective():
    return MeshObjective()


def test_targets_are_relative_to_the_root(objective, make_sample):
    body = objective.body_model
    gt = objective.targets([make_sample(body, i) for i in range(3)])
    hips = objective.root_ids
    assert gt['keypoints3d'][:, hips].mean(1).abs().max() < 1e-6
    # The mesh and the joints of a consistent person agree.
    torch.testing.assert_close(
        body.regress_joints(gt['vertices'], 'h36m14'),
        gt['keypoints3d'],
        atol=1e-5,
        rtol=0,
    )


def test_a_quarter_turn_takes_x_to_depth(objective, make_sample):
    """At 90 degrees (x, y, z) is at (-z, y, x): the published sign."""
    samples = [make_sample(objective.body_model)]
    front = objective.targets(samples)
    side = objective.targets(samples, yaw=math.pi / 2)
    for key in ('vertices', 'keypoints3d'):
        x, y, z = front[key].unbind(-1)
        torch.testing.assert_close(
            side[key], torch.stack([-z, y, x], -1), atol=1e-5, rtol=0
        )


def test_turned_parameters_give_the_turned_mesh(objective, make_sample):
    body = objective.body_model
    samples = [make_sample(body, i) for i in range(3)]
    gt = objective.targets(samples, yaw=torch.tensor([0.7, -2.0, 3.1]))
    again = body(gt['global_orient'], gt['body_pose'], gt['betas']).vertices
    joints = body.regress_joints(again, 'h36m14')
    again = again - joints[:, objective.root_ids].mean(1, keepdim=True)
    torch.testing.assert_close(again, gt['vertices'], atol=1e-5, rtol=0)


@pytest.mark.parametrize('yaw', [0.4, -1.9, math.pi])
def test_a_turn_and_back_is_the_identity(yaw, objective, make_sample):
    samples = [make_sample(objective.body_model, i) for i in range(2)]
    gt = objective.targets(samples)
    back = objective.turned(objective.turned(gt, yaw), -yaw)
    assert back.keys() == gt.keys()
    for key in gt.keys() - {'global_orient', 'mask_weight'}:
        torch.testing.assert_close(back[key], gt[key], atol=1e-5, rtol=0)
    torch.testing.assert_close(
        axis_angle_to_matrix(back['global_orient']),
        axis_angle_to_matrix(gt['global_orient']),
        atol=1e-5,
        rtol=0,
    )


def test_turned_joints_are_projected_anew_or_weigh_nothing(
    objective, make_sample
):
    body = objective.body_model
    relative = make_sample(body, 1)
    relative.gt.keypoints3d = relative.gt.keypoints3d - torch.tensor(
        [0.1, 0.2, 4.0]
    )
    rootless = make_sample(body, 2)
    rootless.gt.keypoints3d_weight = torch.ones(14)
    rootless.gt.keypoints3d_weight[objective.root_ids[0]] = 0
    samples = [
        make_sample(body, 0),
        relative,
        rootless,
        make_sample(body, 3, K=torch.zeros(3, 3)),
    ]
    gt = objective.targets(samples, yaw=1.0)
    assert gt['keypoints2d_weight'].sum(1).tolist() == [14, 0, 0, 0]
    assert torch.isfinite(gt['keypoints2d']).all()
    assert not gt['mask_weight'].any()
    pixels = project_points(gt['keypoints3d'] + gt['root3d'], gt['K'])[0]
    torch.testing.assert_close(
        gt['keypoints2d'][0], normalize_keypoints2d(pixels, (64, 64))
    )


def test_only_those_who_turn_change(objective, make_sample):
    samples = [make_sample(objective.body_model, i) for i in range(2)]
    gt = objective.targets(samples)
    turned = objective.turned(gt, torch.tensor([0.0, 0.5]))
    assert all(torch.equal(turned[key][0], gt[key][0]) for key in gt)
    assert not torch.equal(turned['vertices'][1], gt['vertices'][1])


@pytest.mark.parametrize('order', [1, -1])
def test_mixed_joint_sets_are_refused_by_name(order, objective, make_sample):
    body = objective.body_model
    samples = [make_sample(body, 0), make_sample(body, 1, joint_set='coco17')]
    with pytest.raises(ValueError) as error:
        objective.targets(samples[::order])
    message = str(error.value)
    assert "joint_set='coco17'" in message and '1.jpg' in message
    assert "joint_set='h36m14'" in message and '\n' not in message


def test_a_whole_batch_of_other_joints_is_refused_too(objective, make_sample):
    body = objective.body_model
    samples = [make_sample(body, i, joint_set='smpl24') for i in range(2)]
    with pytest.raises(ValueError, match="joint_set='smpl24'"):
        objective.targets(samples)
    samples = [make_sample(body, 0)]
    samples[0].gt.keypoints3d = torch.zeros(9, 3)
    with pytest.raises(ValueError, match='9 joints, not 14'):
        objective.targets(samples)


def test_samples_without_labels_or_of_other_fields_are_named(
    objective, make_sample
):
    body = objective.body_model
    with pytest.raises(ValueError, match='sample 4 has no labels'):
        objective.targets([BodyDataSample(metainfo=dict(sample_idx=4))])
    odd = make_sample(body, 1)
    del odd.gt.mask
    with pytest.raises(ValueError, match='1.jpg.*mask'):
        objective.targets([make_sample(body, 0), odd])
    odd = make_sample(body, 1, mask=torch.ones(1, 32, 32))
    with pytest.raises(ValueError, match=r'mask of sample 1.*\(1, 32, 32\)'):
        objective.targets([make_sample(body, 0), odd])
    with pytest.raises(ValueError, match='no samples'):
        objective.targets([])


@pytest.mark.parametrize('own', [1, 5, 10])
def test_labels_of_any_number_of_betas_fit_the_body(own, make_sample):
    """Fewer are the mean shape in the rest; more are unknown to the body."""
    objective = MeshObjective(dict(num_betas=own))
    body = objective.body_model
    samples = [
        make_sample(body, i, num_betas=n) for i, n in enumerate((10, 5, 1, 16))
    ]
    gt = objective.targets(samples)
    assert gt['betas'].shape == (4, own)
    short = min(own, 5)
    assert torch.equal(gt['betas'][1, :short], samples[1].gt.betas[:short])
    assert not gt['betas'][2, 1:].any()


@pytest.mark.parametrize('off', TERMS)
def test_none_switches_a_term_off(off, objective, make_sample):
    partial = MeshObjective(objective.body_model, **{off: None})
    gt = partial.targets([make_sample(partial.body_model)])
    camera = torch.tensor([[0.9, 0.0, 0.0]])
    output = partial.centre(dict(vertices=gt['vertices'] + 0.1, camera=camera))
    assert partial(output, gt).keys() == {*TERMS} - {off}
    assert partial.has_terms


def test_an_objective_with_every_term_off_says_so(objective):
    nothing = MeshObjective(objective.body_model, **dict.fromkeys(TERMS))
    assert not nothing.has_terms
    assert nothing({}, {}) == {}


def test_a_root_of_other_joints_is_refused(objective):
    with pytest.raises(ValueError, match='pelvis.*h36m14'):
        MeshObjective(objective.body_model, root=('pelvis',))
