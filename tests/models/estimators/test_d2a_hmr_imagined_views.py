"""D2A-HMR that imagines: any head trains, off it is as it was."""

import copy
import math
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmd2a.geometry import view_rotation
from mmd2a.registry import MODELS

ROOT = Path(__file__).resolve().parents[3]
VIEWS = dict(type='mmd2a.ImaginedViews')
SMPL = dict(type='mmd2a.SMPLHead', num_coarse_vertices=54)
COARSE = dict(type='mmd2a.CoarseMeshHead', num_coarse_vertices=54)
LOCALIZER = dict(type='mmd2a.JointLocalizer', channels=16, num_blocks=0)
OF_PARAMETERS = dict(type='mmd2a.ViewConsistency')
IMAGINED = {'loss_vertices_imagined', 'loss_keypoints3d_imagined'}


@pytest.fixture(scope='module')
def model_cfg():
    pytest.importorskip('mmpose')
    cfg = Config.fromfile(ROOT / 'configs/d2a_hmr_hrnet.py')
    init_default_scope(cfg.default_scope)
    cfg.model.head = COARSE
    return cfg.model


@pytest.fixture(scope='module')
def inputs():
    generator = torch.Generator().manual_seed(0)
    depth = torch.randn(2, 2, 64, 64, generator=generator)
    depth[:, 1] = 1
    return dict(
        img=torch.randn(2, 3, 64, 64, generator=generator),
        depth=depth,
        has_depth=torch.tensor([1.0, 0.0]),
    )


@pytest.fixture
def people(body, make_sample):
    return [make_sample(body, seed) for seed in range(2)]


def build(cfg, seed=0, **changes):
    torch.manual_seed(seed)
    model = MODELS.build(dict(copy.deepcopy(cfg), **changes))
    model.init_weights()
    return model


def total_of(model, inputs, samples, seed=0):
    torch.manual_seed(seed)
    losses = model(inputs, samples, mode='loss')
    return losses, model.parse_losses(losses)[0]


@pytest.mark.parametrize(
    'changes, views, expected',
    [
        ({}, {}, IMAGINED | {'loss_vertices_consistency'}),
        (dict(head=SMPL), {}, IMAGINED | {'loss_vertices_consistency'}),
        (
            dict(head=SMPL, flow_head=None, depth_branch=None),
            dict(consistency=OF_PARAMETERS),
            IMAGINED | {'loss_pose_consistency', 'loss_betas_consistency'},
        ),
        ({}, dict(consistency=None, num_views=1), IMAGINED),
        ({}, dict(imagination=None), {'loss_vertices_consistency'}),
        (
            dict(localizer=LOCALIZER),
            {},
            IMAGINED | {'loss_vertices_consistency'},
        ),
    ],
)
def test_every_parameter_learns_and_the_losses_fall(
    changes, views, expected, model_cfg, inputs, people
):
    model = build(
        model_cfg, imagined_views=dict(VIEWS, **views), **changes
    ).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    totals = []
    for _ in range(5):
        losses, total = total_of(model, inputs, people)
        optimizer.zero_grad()
        total.backward()
        without = [
            name
            for name, p in model.named_parameters()
            if p.requires_grad
            and (p.grad is None or not p.grad.isfinite().all())
        ]
        assert not without
        optimizer.step()
        totals.append(float(total.detach()))
    assert {name for name in losses if name.count('_') > 1} >= expected
    assert totals[-1] < totals[0]


def test_off_it_is_as_it_was_and_on_it_predicts_the_same(
    model_cfg, inputs, people
):
    off = build(model_cfg).eval()
    on = build(model_cfg, imagined_views=VIEWS).eval()
    extra = on.load_state_dict(off.state_dict(), strict=False)
    assert not extra.unexpected_keys
    assert all(
        name.startswith('imagined_views.') for name in extra.missing_keys
    )
    assert not [name for name, _ in off.named_modules() if 'view' in name]
    with torch.no_grad():
        told = off(inputs)
        assert 'z' not in told
        for key, value in on(inputs).items():
            assert key == 'z' or torch.equal(value, told[key])
    before, _ = total_of(off.train(), inputs, people)
    after, _ = total_of(on.train(), inputs, people)
    for name, value in before.items():
        assert torch.equal(value, after[name]), name


def test_the_view_of_angle_zero_is_the_answer_where_depth_adds_nothing(
    model_cfg, inputs
):
    """The head of the model is asked; its skip of depth is the photo's."""
    model = build(model_cfg, imagined_views=VIEWS, depth_branch=None).eval()
    with torch.no_grad():
        seen = model(dict(img=inputs['img']))
        same = model.imagine(seen, 0.0)
        left = model.imagine(seen, math.pi / 2)
    assert torch.equal(same['vertices'], seen['vertices'])
    # A head starts at the mean person: differences are small.
    assert not torch.equal(left['vertices'], seen['vertices'])


def test_half_precision_trains_to_about_the_same_losses(
    model_cfg, inputs, people
):
    model = build(model_cfg, imagined_views=VIEWS, flow_head=None).train()
    exact, _ = total_of(model, inputs, people)
    with torch.autocast('cpu', torch.bfloat16):
        half, total = total_of(model, inputs, people)
    total.backward()
    for name, value in exact.items():
        torch.testing.assert_close(half[name], value, atol=0.02, rtol=0.1)


def test_what_no_term_reaches_is_frozen(model_cfg):
    model = build(
        model_cfg,
        imagined_views=dict(VIEWS, imagination=None, consistency=None),
    )
    assert not any(p.requires_grad for p in model.imagined_views.parameters())


def test_a_head_is_trained_by_views_alone(model_cfg, inputs, people):
    terms = ('loss_vertices', 'loss_keypoints3d', 'loss_keypoints2d')
    objective = {**model_cfg.objective, **dict.fromkeys(terms)}
    model = build(
        model_cfg, imagined_views=VIEWS, objective=objective, flow_head=None
    ).train()
    total_of(model, inputs, people)[1].backward()
    assert all(p.grad is not None for p in model.head.parameters())


def test_meshes_of_one_person_are_consistent(body, make_sample):
    loss = dict(type='mmd2a.VertexLoss')
    consistency = MODELS.build(
        dict(
            type='mmd2a.ViewConsistency',
            loss_pose=None,
            loss_betas=None,
            loss_vertices=loss,
        )
    )
    assert consistency.has_terms
    mesh = body.v_template.expand(3, -1, -1)
    yaws = torch.tensor([[0.3, 2.0, -1.0], [-3.0, 0.1, 1.2]])
    first, second = (
        dict(vertices=mesh @ view_rotation(yaw).mT) for yaw in yaws
    )
    same = consistency(first, second, *yaws)
    assert same.keys() == {'loss_vertices'}
    assert same['loss_vertices'] < 1e-6
    assert consistency(first, second, *yaws.flip(0))['loss_vertices'] > 0.05


def test_bad_options_are_told(model_cfg, inputs):
    with pytest.raises(ValueError, match='num_views=1 is too few'):
        build(model_cfg, imagined_views=dict(VIEWS, num_views=1))
    with pytest.raises(ValueError, match='views=dict.*ImaginedViews'):
        build(model_cfg).imagine({}, 0.0)
    model = build(model_cfg, imagined_views=VIEWS).eval()
    with pytest.raises(ValueError, match='yaw must be finite'):
        model.imagine(model(inputs), math.nan)
    parameters = dict(VIEWS, consistency=OF_PARAMETERS, imagination=None)
    model = build(model_cfg, imagined_views=parameters).train()
    with pytest.raises(ValueError, match="head.type='mmd2a.SMPLHead'"):
        model.imagined_views.losses(
            lambda yaw: model.imagine(model(inputs), yaw),
            dict(vertices=torch.zeros(2, 1, 3)),
            lambda gt, yaw: gt,
        )
