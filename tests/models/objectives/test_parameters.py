"""Losses of pose and shape, against labels and between views."""

import math

import pytest
import torch

from mmd2a.geometry import axis_angle_to_matrix
from mmd2a.models.objectives import MeshObjective, ViewConsistency

LOSS = dict(type='mmd2a.JointLoss')
YAWS = torch.tensor([0.4, -2.0, math.pi])


@pytest.fixture(scope='module')
def objective(body):
    off = dict.fromkeys(
        ('loss_vertices', 'loss_keypoints3d', 'loss_keypoints2d')
    )
    return MeshObjective(body, loss_pose=LOSS, loss_betas=LOSS, **off)


def as_output(gt):
    """What a head would give that is right."""
    pose = axis_angle_to_matrix(
        torch.cat([gt['global_orient'], gt['body_pose']], 1).unflatten(
            1, (24, 3)
        )
    )
    return dict(
        global_orient=pose[:, :1],
        body_pose=pose[:, 1:],
        betas=gt['betas'].clone(),
    )


@pytest.fixture
def samples(objective, make_sample):
    return [make_sample(objective.body_model, i) for i in range(3)]


def test_what_is_right_costs_nothing_seen_from_anywhere(objective, samples):
    assert objective.has_terms
    for yaw in (None, YAWS):
        gt = objective.targets(samples, yaw)
        losses = objective(as_output(gt), gt)
        assert losses.keys() == {'loss_pose', 'loss_betas'}
        assert max(losses.values()) < 1e-6


def test_each_loss_is_the_mean_of_its_numbers(objective, samples):
    gt = objective.targets(samples)
    gt['smpl_weight'] = torch.tensor([1.0, 1.0, 0.0])
    output = as_output(gt)
    gt['body_pose'][2] = torch.nan
    gt['betas'][2] = torch.nan
    output['betas'][:, 3] += 0.5
    output['body_pose'] = output['body_pose'].clone()
    output['body_pose'][:, 4, 1, 2] += 0.3
    losses = objective(output, gt)
    torch.testing.assert_close(losses['loss_betas'], torch.tensor(0.05))
    torch.testing.assert_close(losses['loss_pose'], torch.tensor(0.3 / 9 / 24))


def test_views_of_one_person_agree_and_of_a_turned_one_do_not(
    objective, samples
):
    consistency = ViewConsistency()
    gt = objective.targets(samples)
    yaws = torch.zeros(3), YAWS
    first, second = (as_output(objective.turned(gt, yaw)) for yaw in yaws)
    losses = consistency(first, second, *yaws)
    assert losses.keys() == {'loss_pose', 'loss_betas'}
    assert max(losses.values()) < 1e-6
    # Which view is first does not matter, that they were turned does.
    back = consistency(second, first, *yaws[::-1])
    assert max(back.values()) < 1e-6
    assert consistency(first, first, *yaws)['loss_pose'] > 0.01


def test_both_views_learn(objective, samples):
    gt = objective.targets(samples)
    views = [
        {key: value.requires_grad_() for key, value in as_output(gt).items()}
        for _ in range(2)
    ]
    losses = ViewConsistency()(*views, torch.zeros(3), YAWS)
    sum(losses.values()).backward()
    for view in views:
        assert view['global_orient'].grad.abs().sum() > 0
        assert all(value.grad is not None for value in view.values())


@pytest.mark.parametrize('off', ['loss_pose', 'loss_betas'])
def test_none_switches_a_term_off(off, objective, samples):
    gt = objective.targets(samples)
    output = as_output(gt)
    consistency = ViewConsistency(**{off: None})
    losses = consistency(output, output, YAWS, YAWS)
    assert losses.keys() == {'loss_pose', 'loss_betas'} - {off}
    assert consistency.has_terms
    assert not ViewConsistency(None, None).has_terms


def test_a_head_without_parameters_is_told(objective, samples):
    gt = objective.targets(samples)
    with pytest.raises(ValueError, match="head.type='mmd2a.SMPLHead'"):
        objective(dict(vertices=gt['vertices']), gt)
    with pytest.raises(ValueError, match="head.type='mmd2a.SMPLHead'"):
        ViewConsistency()({}, {}, YAWS, YAWS)
