"""ImpHMR with parts of D2A-HMR: depth in the field, a density of joints."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope

from mmd2a.registry import MODELS

ROOT = Path(__file__).resolve().parents[3]
FLOW = dict(type='mmd2a.RLEFlowHead')
SEED = dict(type='mmd2a.DepthSeed')


@pytest.fixture(scope='module')
def model_cfg():
    pytest.importorskip('mmpose')
    cfg = Config.fromfile(ROOT / 'configs/imphmr/imphmr_hrnet.py')
    init_default_scope(cfg.default_scope)
    # Sizes of a test.
    cfg.model.renderer.update(size=6, num_samples=4)
    cfg.model.field.update(hidden=16, out_channels=16)
    cfg.model.head.num_coarse_vertices = 54
    return cfg.model


@pytest.fixture(scope='module')
def inputs():
    generator = torch.Generator().manual_seed(0)
    depth = 0.3 * torch.randn(2, 2, 64, 64, generator=generator)
    depth[:, 1] = 1
    return dict(
        img=torch.randn(2, 3, 64, 64, generator=generator),
        depth=depth,
        has_depth=torch.tensor([1.0, 0.0]),
    )


@pytest.fixture
def people(body, make_sample):
    return [make_sample(body, seed) for seed in range(2)]


def build(cfg, **changes):
    torch.manual_seed(0)
    model = MODELS.build(dict(copy.deepcopy(cfg), **changes))
    model.init_weights()
    return model


def total_of(model, inputs, samples, seed=0):
    torch.manual_seed(seed)
    losses = model(inputs, samples, mode='loss')
    return losses, model.parse_losses(losses)[0]


@pytest.mark.parametrize(
    'flow, seed, imagined',
    [
        (FLOW, None, False),
        (None, SEED, True),
        (dict(FLOW, dims=2), SEED, False),
    ],
)
def test_every_parameter_gets_a_gradient(
    flow, seed, imagined, model_cfg, inputs, people
):
    names = ('imagination', 'silhouette_decoder', 'consistency')
    off = {} if imagined else dict.fromkeys(names)
    model = build(model_cfg, flow_head=flow, depth_seed=seed, **off).train()
    for has in (inputs['has_depth'], torch.zeros(2)):
        model.zero_grad()
        given = dict(inputs, has_depth=has)
        losses, total = total_of(model, given, people)
        assert ('loss_rle' in losses) == (flow is not None)
        total.backward()
        assert not [
            name
            for name, p in model.named_parameters()
            if p.grad is None or not p.grad.isfinite().all()
        ]


def test_with_all_of_them_it_learns(model_cfg, inputs, people):
    model = build(model_cfg, flow_head=FLOW, depth_seed=SEED).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)
    history = []
    for _ in range(12):
        losses, total = total_of(model, inputs, people)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        history.append(losses)
    for name in ('loss_pose', 'loss_rle', 'loss_pose_imagined'):
        assert history[-1][name] < history[0][name], name


def test_off_there_is_nothing_of_them_and_on_the_rest_is_as_it_was(
    model_cfg, inputs, people
):
    # All points in each step: none is drawn, random numbers are the same.
    flow = dict(FLOW, points_per_step=None)
    off, on = build(model_cfg), build(model_cfg, flow_head=flow)
    ours = ('flow_head.', 'depth_seed.')
    assert not any(name.startswith(ours) for name in off.state_dict())
    on.load_state_dict(off.state_dict(), strict=False)
    before, _ = total_of(off.train(), inputs, people)
    after, _ = total_of(on.train(), inputs, people)
    assert after.keys() - before.keys() == {'loss_rle'}
    for name, value in before.items():
        assert torch.equal(value, after[name]), name


def test_depth_counts_for_those_who_have_it(model_cfg, inputs):
    plain = build(model_cfg).eval()
    seeded = build(model_cfg, depth_seed=SEED).eval()
    seeded.load_state_dict(plain.state_dict(), strict=False)
    with torch.no_grad():
        without, given = plain(inputs), seeded(inputs)
        # Whoever has none is told what the model tells without the part,
        # though the depth is not a number.
        inputs['depth'][1] = torch.nan
        again = seeded(inputs)
    for key in ('vertices', 'opacity', 'depth'):
        assert torch.equal(given[key], again[key])
        torch.testing.assert_close(given[key][1], without[key][1])
        assert not torch.allclose(given[key][0], without[key][0], atol=1e-6)
    # Seen from elsewhere, too: the field is one.
    left = seeded.imagine(given, 1.5)
    assert left['opacity'].isfinite().all()


def test_a_batch_without_depth_is_told(model_cfg, inputs):
    model = build(model_cfg, depth_seed=SEED)
    with pytest.raises(ValueError, match='depth_seed.*model.depth_seed=None'):
        model(dict(img=inputs['img']))


def test_density_alone_trains_the_head(model_cfg, inputs, people):
    terms = [name for name in model_cfg.objective if name.startswith('loss_')]
    off = dict.fromkeys(('imagination', 'silhouette_decoder', 'consistency'))
    objective = {**model_cfg.objective, **dict.fromkeys(terms)}
    # In 2-D, so that the camera is trained as well.
    model = build(
        model_cfg, flow_head=dict(FLOW, dims=2), objective=objective, **off
    ).train()
    losses, total = total_of(model, inputs, people)
    assert losses.keys() == {'loss_rle'}
    total.backward()
    assert all(p.grad is not None for p in model.parameters())


def test_sigma_is_told_and_judged(model_cfg, inputs, people, body):
    model = build(model_cfg, flow_head=FLOW, num_samples=3).eval()
    with torch.no_grad():
        model.flow_head.temperature.fill_(2.0)
        twice = model(inputs)['sigma'].clone()
        model.flow_head.temperature.fill_(1.0)
        predicted = model(inputs, people, mode='predict')
    torch.testing.assert_close(
        twice[0, :14], 2 * predicted[0].pred.keypoints3d_sigma
    )
    pred = predicted[0].pred
    assert pred.sigma.shape == (body.num_vertices,) and (pred.sigma > 0).all()
    assert pred.keypoints3d_samples.shape == (3, 14, 3)
    evaluator = Evaluator(dict(type='mmd2a.CalibrationMetric'))
    evaluator.process([sample.to_dict() for sample in predicted])
    metrics = evaluator.evaluate(2)
    assert metrics['calibration/num_samples'] == 2
    for name in ('NLL', 'ECE', 'temperature', 'min-of-3'):
        assert np.isfinite(metrics[f'calibration/{name}']), name


def test_a_view_has_no_density_of_its_own(model_cfg, inputs):
    model = build(model_cfg, flow_head=FLOW).eval()
    with torch.no_grad():
        seen = model(inputs)
        assert 'sigma' not in model.imagine(seen, 0.5)
    assert seen['sigma'].shape == (2, 14 + 54, 3)
