"""Our likelihood in the place of mmpose's."""

import pytest
import torch
from torch import nn

from mmd2a.mixing import KeypointRLELoss
from mmd2a.models.losses import RLELoss


def draw(batch=5, joints=17, dtype=torch.float32):
    torch.manual_seed(3)
    pred, target = torch.rand(2, batch, joints, 2, dtype=dtype)
    sigma = torch.randn(batch, joints, 2, dtype=dtype)
    weight = (torch.rand(batch, joints, 1) < 0.7).to(dtype) * 1.5
    return pred.requires_grad_(), sigma.requires_grad_(), target, weight


@pytest.fixture
def published():
    pytest.importorskip('mmpose')
    from mmd2a.registry import MODELS

    import_name = dict(type='mmpose.RLELoss', use_target_weight=True)
    return lambda **kwargs: MODELS.build({**import_name, **kwargs})


@pytest.mark.parametrize('q', ['laplace', 'gaussian'])
@pytest.mark.parametrize('weighted', [True, False])
def test_parity_is_mmposes_loss_and_gradient(published, q, weighted):
    torch.manual_seed(0)
    theirs = published(q_distribution=q, use_target_weight=weighted)
    for parameter in theirs.flow_model.parameters():
        nn.init.normal_(parameter, std=0.2)
    ours = KeypointRLELoss(
        'parity', q_distribution=q, use_target_weight=weighted
    )
    ours.load_state_dict(theirs.state_dict())
    gradients = []
    for loss in (ours.double(), theirs.double()):
        pred, sigma, target, weight = draw(dtype=torch.float64)
        value = loss(pred, sigma, target, weight)
        value.backward()
        gradients.append(
            (
                value.detach(),
                pred.grad,
                sigma.grad,
                *(p.grad for p in loss.flow_model.parameters()),
            )
        )
    for got, expected in zip(*gradients):
        torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)


def test_exact_is_the_density_summed_over_keypoints():
    loss = KeypointRLELoss(use_target_weight=True)
    pred, sigma, target, weight = draw()
    value = RLELoss().per_point(pred, sigma.sigmoid(), target, loss.flow_model)
    expected = (value * weight[..., 0]).sum() / len(pred)
    torch.testing.assert_close(loss(pred, sigma, target, weight), expected)


@pytest.mark.parametrize('mode', ['exact', 'parity'])
def test_keypoints_without_weight_leave_no_trace(mode):
    loss = KeypointRLELoss(mode, use_target_weight=True)
    pred, sigma, target, weight = draw()
    target[weight[..., 0] == 0] = torch.nan
    loss(pred, sigma, target, weight).backward()
    assert pred.grad.isfinite().all() and sigma.grad.isfinite().all()
    assert (pred.grad[weight[..., 0] == 0] == 0).all()


def test_the_head_around_it_does_not_flatten_the_flow():
    pytest.importorskip('mmpose')
    from mmd2a.registry import MODELS

    head = MODELS.build(
        dict(
            type='mmpose.RLEHead',
            in_channels=8,
            num_joints=17,
            loss=dict(type='mmd2a.KeypointRLELoss', use_target_weight=True),
        )
    )
    before = head.loss_module.flow_model.s[0][2].weight.std().item()
    head.init_weights()
    assert head.fc.weight.std() < 0.02
    after = head.loss_module.flow_model.s[0][2].weight.std().item()
    assert after == pytest.approx(before, rel=0.2)


def test_a_weight_of_another_shape_is_refused():
    loss = KeypointRLELoss(use_target_weight=True)
    pred, sigma, target, weight = draw()
    with pytest.raises(ValueError, match='needs target_weight'):
        loss(pred, sigma, target, weight[..., 0])


def test_without_a_flow_the_base_is_the_density():
    loss = KeypointRLELoss(flow=None)
    assert not list(loss.parameters())
    assert loss.flow_model.base == KeypointRLELoss().flow_model.base
