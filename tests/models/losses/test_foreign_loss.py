"""Every registered loss is a term of ours, or refused by one line."""

import inspect
from typing import Any

import pytest
import torch
from torch import nn

from mmd2a.models.heads import RLEFlowHead
from mmd2a.models.losses import (
    ElementwiseLoss,
    JointLoss,
    VertexLoss,
    build_mask_loss,
    build_point_loss,
)
from mmd2a.models.objectives import MeshObjective
from mmd2a.registry import MODELS

# What a loss has to be told; a new requirement of a new loss goes here.
NEEDED: dict[str, Any] = dict(
    gan_type='lsgan',
    convention='smpl',
    prior_folder='nowhere',
    use_sigmoid=False,
)
# Losses that do take part; all others have to be refused.
OF_POINTS = {
    'mmd2a.JointLoss',
    'mmd2a.VertexLoss',
    'mmhuman3d.KeypointMSELoss',
    'mmhuman3d.L1Loss',
    'mmhuman3d.MSELoss',
    'mmhuman3d.SmoothL1Loss',
}
B, P = 3, 14


def losses() -> dict[str, dict]:
    """Configs of all losses of both registries."""
    MODELS.import_from_location()
    found = {
        f'mmd2a.{name}': part
        for name, part in MODELS.module_dict.items()
        if part.__module__.startswith('mmd2a.') and name.endswith('Loss')
    }
    try:
        from mmhuman3d.models.losses.builder import LOSSES
    except ImportError:
        pytest.skip('needs mmhuman3d')
    found |= {
        f'mmhuman3d.{name}': part for name, part in LOSSES.module_dict.items()
    }
    return {
        name: dict(type=name)
        | {
            key: NEEDED[key]
            for key, parameter in inspect.signature(part).parameters.items()
            if parameter.default is parameter.empty
        }
        for name, part in found.items()
    }


def refusal(build: Any) -> str:
    """The one line by which something is refused."""
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        build()
    message = str(error.value)
    assert '\n' not in message
    return message


def test_every_loss_compares_points_or_is_refused(body):
    every = losses()
    assert len(every) > 20 and OF_POINTS <= every.keys()
    for name, cfg in every.items():
        if name == 'mmhuman3d.MaxMixturePrior':
            continue  # Its prior is a file that comes with a licence.
        for slot in ('loss_vertices', 'loss_keypoints3d', 'loss_keypoints2d'):
            terms = dict(
                loss_vertices=None,
                loss_keypoints3d=None,
                loss_keypoints2d=None,
            )
            terms[slot] = cfg
            if name in OF_POINTS:
                MeshObjective(body, **terms)
                continue
            message = refusal(lambda t=terms: MeshObjective(body, **t))
            assert message.startswith(f'{slot} cannot be {name}:'), message
            assert 'use mmd2a.JointLoss' in message


@pytest.mark.parametrize('name', sorted(OF_POINTS))
@pytest.mark.parametrize('dims', [2, 3])
def test_losses_of_points_keep_our_promises(name, dims):
    pytest.importorskip('mmhuman3d')
    loss = build_point_loss(dict(type=name, loss_weight=2.0), 'loss', P, dims)
    torch.manual_seed(0)
    pred = torch.randn(B, P, dims, requires_grad=True)
    target, weight = torch.randn(B, P, dims), torch.ones(B, P)
    every = loss(pred, target, weight)
    torch.testing.assert_close(every, loss(pred, target))
    # As the loss averages on its own, where everything is labelled.
    alone = MODELS.build(dict(type=name, loss_weight=2.0))
    torch.testing.assert_close(every, alone(pred, target))
    # What has no label leaves no trace.
    weight[0], target[0] = 0, torch.nan
    some = loss(pred, target, weight)
    torch.testing.assert_close(some, loss(pred[1:], target[1:]))
    (grad,) = torch.autograd.grad(some, pred)
    assert (grad[0] == 0).all() and (grad[1:] != 0).all()
    one = torch.tensor([[0.0], [0.0], [1.0]])
    torch.testing.assert_close(
        loss(pred, target, one), loss(pred[2:], target[2:])
    )
    torch.testing.assert_close(
        loss(pred, target, weight, 7.0), some * weight.sum() / 7
    )
    assert loss(pred, target, torch.zeros(B, P)) == 0


def test_every_loss_compares_masks_or_is_refused():
    for name, cfg in losses().items():
        if name == 'mmhuman3d.MaxMixturePrior':
            continue
        if name == 'mmd2a.SilhouetteLoss':
            build_mask_loss(cfg, 'loss_silhouette')
            continue
        message = refusal(lambda c=cfg: build_mask_loss(c, 'loss_silhouette'))
        assert message.startswith(f'loss_silhouette cannot be {name}:')


def test_every_loss_judges_a_flow_or_is_refused():
    for name, cfg in losses().items():
        if name == 'mmhuman3d.MaxMixturePrior':
            continue
        if name == 'mmd2a.RLELoss':
            RLEFlowHead(8, 4, loss=cfg)
            continue
        message = refusal(lambda c=cfg: RLEFlowHead(8, 4, loss=c))
        assert message.startswith(f'flow_head.loss cannot be {name}:')


def test_another_reduction_is_not_ignored():
    pytest.importorskip('mmhuman3d')
    cfg = dict(type='mmhuman3d.L1Loss', reduction='sum')
    message = refusal(lambda: build_point_loss(cfg, 'loss', P, 3))
    assert "reduction='sum'" in message


def test_a_loss_with_our_contract_is_taken_as_it_is():
    @MODELS.register_module(name='LossOfAUser', force=True)
    class LossOfAUser(nn.Module):
        def forward(self, pred, target, weight=None, avg_factor=None):
            return (pred - target).abs().sum()

    loss = build_point_loss(dict(type='LossOfAUser'), 'loss', P, 3)
    assert type(loss) is LossOfAUser


def test_half_precision_is_computed_in_float32():
    class Squared(nn.Module):
        def forward(self, pred, target, reduction_override=None):
            assert reduction_override == 'none'
            return (pred - target).square()

    loss = ElementwiseLoss(Squared())
    with torch.autocast('cpu', torch.bfloat16):
        value = loss(torch.ones(2, 3, 3).bfloat16(), torch.zeros(2, 3, 3))
    assert value.dtype == torch.float32 and value == 1


@pytest.mark.parametrize('loss', [JointLoss(2.0), VertexLoss(2.0)])
def test_reductions_are_those_of_other_packages(loss):
    torch.manual_seed(0)
    pred, target = torch.randn(2, B, P, 3)
    expected = 2 * (pred - target).abs()
    for reduction, value in (
        ('none', expected),
        ('sum', expected.sum()),
        ('mean', expected.mean()),
        (None, expected.mean()),
    ):
        torch.testing.assert_close(
            loss(pred, target, reduction_override=reduction), value
        )
    weight = torch.rand(B, P, 3)
    weight[0], target[0] = 0, torch.nan
    expected = 2 * (pred - target).abs()[1:] * weight[1:]
    value = loss(pred, target, weight, reduction_override='none')
    torch.testing.assert_close(value[1:], expected)
    assert (value[0] == 0).all()
    torch.testing.assert_close(
        loss(pred, target, weight, 5.0), expected.sum() / 5
    )
    with pytest.raises(ValueError, match='reduction_override'):
        loss(pred, target, reduction_override='median')
    with pytest.raises(ValueError, match='avg_factor'):
        loss(pred, target, None, 2.0, 'sum')
