"""Training in steps: parts stay as they are, depth is met later."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmd2a.registry import MODELS
from tests.models.estimators.test_d2a_hmr import (
    CONFIG,
    build,
    make_inputs,
    make_sample,
)


@pytest.fixture(scope='module')
def model_cfg():
    pytest.importorskip('mmpose')
    cfg = Config.fromfile(CONFIG)
    init_default_scope(cfg.default_scope)
    cfg.model.localizer = dict(type='mmd2a.JointLocalizer')
    return cfg.model


@pytest.mark.parametrize('names', [('backbone', 'localizer'), ('encoder',)])
def test_frozen_parts_stay_as_they_are(names, model_cfg, body):
    model = build(dict(model_cfg, frozen=names)).train()
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.SGD(
        [p for p in model.parameters() if p.requires_grad], lr=0.1
    )
    samples = [make_sample(body, seed) for seed in range(2)]
    losses = model(make_inputs(), samples, mode='loss')
    sum(losses.values()).backward()
    optimizer.step()
    moved = {
        key.split('.')[0]
        for key, value in model.state_dict().items()
        if not torch.equal(value, before[key])
    }
    assert not moved & set(names)
    assert {'head', 'flow_head', 'patch_embedding'} <= moved
    # Not even in the way they work.
    assert not any(getattr(model, name).training for name in names)
    assert model.head.training


def test_frozen_stages_are_frozen_before_anybody_looks(model_cfg):
    """mmpose freezes them when told to train, too late for DDP."""
    backbone = dict(
        type='mmpose.MobileNetV2', out_indices=(1, 2, 4, 7), frozen_stages=2
    )
    cfg = copy.deepcopy(model_cfg)
    cfg.backbone = backbone
    cfg.patch_embedding.in_channels = [24, 32, 96, 1280]
    model = MODELS.build(cfg)
    frozen = ('conv1.', 'layer1.', 'layer2.')
    for name, parameter in model.backbone.named_parameters():
        assert parameter.requires_grad != name.startswith(frozen), name


def test_frozen_parts_that_are_not_there_are_named(model_cfg):
    with pytest.raises(ValueError, match='refiner is no part.*backbone'):
        MODELS.build(dict(model_cfg, frozen=('refiner',)))
    parts = dict(build(model_cfg).named_children())
    learn = [name for name, part in parts.items() if list(part.parameters())]
    with pytest.raises(ValueError, match='nothing to train'):
        MODELS.build(dict(model_cfg, frozen=learn))


@pytest.mark.parametrize(
    'localizer', [None, dict(type='mmd2a.JointLocalizer')]
)
def test_depth_may_be_met_later_and_left_out_again(localizer, model_cfg):
    """Weights of a model without depth answer as before in one with it."""
    cfg = dict(model_cfg, localizer=localizer)
    rgb = build(dict(cfg, depth_branch=None), seed=1).eval()
    # As after a training: nothing is at its start.
    torch.manual_seed(2)
    with torch.no_grad():
        for parameter in rgb.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    whole = build(cfg, seed=3).eval()
    missing = whole.load_state_dict(rgb.state_dict(), strict=False)
    assert not missing.unexpected_keys
    new = ('depth', 'attn_cross', 'fusion')
    assert all(any(n in key for n in new) for key in missing.missing_keys)

    inputs = make_inputs(with_depth=False)
    nobody = dict(
        inputs,
        depth=torch.rand(2, 2, *inputs['img'].shape[-2:]),
        has_depth=torch.zeros(2),
    )
    with torch.no_grad():
        alone, beside = rgb(inputs), whole(nobody)
        torch.testing.assert_close(alone['vertices'], beside['vertices'])
        again = build(dict(cfg, depth_branch=None), seed=4).eval()
        again.load_state_dict(whole.state_dict(), strict=False)
        torch.testing.assert_close(
            again(inputs)['vertices'], alone['vertices']
        )
