"""The estimator: any ablation trains, any missing label is only missing.

Over 350 lines: one model, in every combination of its parts.
"""

import copy
import itertools
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import BaseDataElement
from torch import nn

from mmd2a.registry import MODELS
from mmd2a.structures import BodyDataSample

CONFIG = Path(__file__).resolve().parents[3] / 'configs' / 'd2a_hmr_hrnet.py'
SIZE = 64
WEIGHTS = (
    'smpl_weight',
    'keypoints3d_weight',
    'keypoints2d_weight',
    'mask_weight',
)
LABELS = dict(
    smpl_weight=('global_orient', 'body_pose', 'betas', 'transl'),
    keypoints3d_weight=('keypoints3d',),
    keypoints2d_weight=('keypoints2d',),
    mask_weight=('mask',),
)
OBJECTIVE = [
    'objective.loss_vertices',
    'objective.loss_keypoints3d',
    'objective.loss_keypoints2d',
]


@pytest.fixture(scope='module')
def model_cfg():
    pytest.importorskip('mmpose')
    cfg = Config.fromfile(CONFIG)
    init_default_scope(cfg.default_scope)
    return cfg.model


def build(cfg, seed=0):
    torch.manual_seed(seed)
    model = MODELS.build(copy.deepcopy(cfg))
    model.init_weights()
    return model


def make_sample(body, seed, **weights):
    """A labelled person; ``weights`` switches kinds of labels off."""
    generator = torch.Generator().manual_seed(seed)
    pose = 0.3 * torch.randn(72, generator=generator)
    betas = torch.randn(10, generator=generator)
    out = body(pose[None, :3], pose[None, 3:], betas[None])
    joints = body.regress_joints(out.vertices, 'h36m14')[0]
    gt = dict(
        global_orient=pose[:3],
        body_pose=pose[3:],
        betas=betas,
        transl=torch.tensor([0.0, 0.0, 4.0]),
        smpl_weight=torch.tensor(1.0),
        keypoints3d=joints + torch.tensor([0.0, 0.0, 4.0]),
        keypoints3d_weight=torch.ones(14),
        keypoints2d=joints[:, :2],
        keypoints2d_weight=torch.ones(14),
        mask=torch.rand(1, SIZE, SIZE, generator=generator).round(),
        mask_weight=torch.tensor(1.0),
        K=torch.eye(3),
    )
    for name, value in weights.items():
        gt[name] = torch.full_like(gt[name], value)
    sample = BodyDataSample(metainfo=dict(sample_idx=seed))
    sample.gt = BaseDataElement(**gt)
    return sample


def make_inputs(batch=2, with_depth=True, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = dict(img=torch.randn(batch, 3, SIZE, SIZE, generator=generator))
    if with_depth:
        inputs['depth'] = torch.cat(
            [
                torch.randn(batch, 1, SIZE, SIZE, generator=generator),
                torch.ones(batch, 1, SIZE, SIZE),
            ],
            1,
        )
        inputs['has_depth'] = torch.ones(batch)
    return inputs


@pytest.mark.parametrize(
    'depth, flow, silhouette, masking, head',
    itertools.product(
        (True, False),
        (True, False),
        (True, False),
        (True, False),
        ('CoarseMeshHead', 'SMPLHead'),
    ),
)
def test_any_ablation_trains_every_parameter(
    depth, flow, silhouette, masking, head, model_cfg, body
):
    cfg = copy.deepcopy(model_cfg)
    if not depth:
        cfg.depth_branch = None
    if not flow:
        cfg.flow_head = None
    if not silhouette:
        cfg.silhouette_decoder = None
    if not masking:
        cfg.encoder.masking = None
    cfg.head = dict(type=f'mmd2a.{head}')
    model = build(cfg).train()
    samples = [make_sample(body, i) for i in range(2)]
    losses = model(make_inputs(with_depth=depth), samples, mode='loss')
    assert ('loss_rle' in losses) == flow
    assert ('loss_silhouette' in losses) == silhouette
    total, _ = model.parse_losses(losses)
    assert torch.isfinite(total)
    total.backward()
    without = [
        name
        for name, p in model.named_parameters()
        if p.requires_grad and p.grad is None
    ]
    assert not without
    before = [p.detach().clone() for p in model.parameters()]
    torch.optim.SGD(model.parameters(), lr=1e-3).step()
    assert any(
        not torch.equal(a, b) for a, b in zip(before, model.parameters())
    )


@pytest.mark.parametrize('head', ['CoarseMeshHead', 'SMPLHead'])
@pytest.mark.parametrize('depth', [True, False])
def test_a_localizer_trains_and_is_trained_by_the_mesh(
    depth, head, model_cfg, body
):
    cfg = copy.deepcopy(model_cfg)
    cfg.localizer = dict(type='mmd2a.JointLocalizer', channels=16)
    cfg.head = dict(type=f'mmd2a.{head}')
    if not depth:
        cfg.depth_branch = None
    model = build(cfg).train()
    inputs = make_inputs(with_depth=depth)
    samples = [make_sample(body, i) for i in range(2)]
    losses = model(inputs, samples, mode='loss')
    assert {'loss_heatmap', 'loss_localized'} <= losses.keys()
    total, _ = model.parse_losses(losses)
    total.backward()
    assert all(
        p.grad is not None for p in model.parameters() if p.requires_grad
    )
    model.zero_grad()
    losses = model(inputs, samples, mode='loss')
    losses['loss_vertices'].backward()
    assert model.localizer.heatmaps.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    'depth_branch, use_depth, localizer, dims',
    [
        (True, True, True, 3),
        (False, True, True, 3),  # depth in the second step alone
        (False, False, True, 2),
        (True, False, False, None),
    ],
)
def test_a_refiner_trains_in_every_combination(
    depth_branch, use_depth, localizer, dims, model_cfg, body
):
    cfg = copy.deepcopy(model_cfg)
    cfg.refiner = dict(type='mmd2a.MeshRefiner', use_depth=use_depth)
    if localizer:
        cfg.localizer = dict(type='mmd2a.JointLocalizer', channels=16)
    if not depth_branch:
        cfg.depth_branch = None
    if dims is None:
        cfg.flow_head = None
    else:
        cfg.flow_head.dims = dims
    model = build(cfg).train()
    inputs = make_inputs(with_depth=depth_branch or use_depth)
    samples = [make_sample(body, i) for i in range(2)]
    losses = model(inputs, samples, mode='loss')
    assert {'loss_vertices', 'loss_vertices_first'} <= losses.keys()
    assert ('loss_rle_first' in losses) == (dims is not None)
    model.parse_losses(losses)[0].backward()
    assert all(
        p.grad is not None for p in model.parameters() if p.requires_grad
    )
    assert model.refiner.output.weight.grad.any()
    if use_depth:
        with pytest.raises(ValueError, match='=False|=None'):
            model(make_inputs(with_depth=False))


def test_what_the_refiner_leaves_alone_stays_where_it_projects(model_cfg):
    cfg = copy.deepcopy(model_cfg)
    cfg.refiner = dict(type='mmd2a.MeshRefiner')
    model = build(cfg).eval()
    with torch.no_grad():
        output = model(make_inputs())
        for key in ('vertices', 'keypoints2d', 'sigma'):
            torch.testing.assert_close(output[key], output['first'][key])
        # All joints, and so the root, 5 cm to the right: so in the image.
        model.refiner.output.bias[0] = 0.5
        moved = model(make_inputs())
    shift = moved['keypoints2d'] - output['keypoints2d']
    expected = torch.zeros_like(shift)
    # Joints and vertices both carry the mesh: twice 5 cm.
    expected[..., 0] = 0.1 * output['camera'][:, :1]
    torch.testing.assert_close(shift, expected, atol=2e-3, rtol=0.02)
    torch.testing.assert_close(
        moved['keypoints3d'], output['keypoints3d'], atol=2e-3, rtol=0
    )


def test_the_first_mesh_learns_as_without_a_refiner(model_cfg, body):
    """Detached, its losses and gradients are those of the model without."""
    cfg = copy.deepcopy(model_cfg)
    cfg.silhouette_decoder, cfg.flow_head = None, None
    plain = build(cfg).train()
    cfg.refiner = dict(type='mmd2a.MeshRefiner')
    model = build(cfg).train()
    model.load_state_dict(plain.state_dict(), strict=False)
    torch.nn.init.normal_(model.refiner.output.weight, std=0.1)
    samples = [make_sample(body, i) for i in range(2)]
    for each in (plain, model):
        torch.manual_seed(0)  # of the token mask
        losses = each(make_inputs(), samples, mode='loss')
        each.parse_losses(losses)[0].backward()
    gradients = dict(model.named_parameters())
    for name, parameter in plain.named_parameters():
        torch.testing.assert_close(gradients[name].grad, parameter.grad)


def test_a_refiner_refuses_what_it_cannot_correct(model_cfg):
    cfg = copy.deepcopy(model_cfg)
    cfg.refiner = dict(type='mmd2a.MeshRefiner')
    cfg.data_preprocessor.depth_normalization = dict(mode='affine')
    with pytest.raises(ValueError, match="mode='affine' has no unit"):
        build(cfg)
    cfg.head = dict(type='mmd2a.SMPLHead')
    with pytest.raises(TypeError, match='parameters of SMPLHead'):
        build(cfg)


@pytest.mark.parametrize('dims', [2, 3])
@pytest.mark.parametrize('mode', ['hybrid', 'sinusoidal', 'learnable', 'none'])
def test_distribution_dims_and_positional_modes_train(
    dims, mode, model_cfg, body
):
    cfg = copy.deepcopy(model_cfg)
    cfg.flow_head.dims = dims
    cfg.encoder.positional_encoding.mode = mode
    model = build(cfg).train()
    losses = model(
        make_inputs(), [make_sample(body, i) for i in range(2)], mode='loss'
    )
    total, _ = model.parse_losses(losses)
    total.backward()
    assert all(
        p.grad is not None for p in model.parameters() if p.requires_grad
    )


@pytest.mark.parametrize('name', WEIGHTS)
def test_a_missing_label_leaves_no_trace(name, model_cfg, body):
    """Garbage under weight 0 changes neither losses nor gradients."""
    model = build(model_cfg).train()
    inputs = make_inputs()

    def gradients(garbage):
        samples = [make_sample(body, 0), make_sample(body, 1, **{name: 0.0})]
        for label in LABELS[name]:
            samples[1].gt.set_field(
                torch.full_like(samples[1].gt.get(label), garbage), label
            )
        model.zero_grad()
        torch.manual_seed(0)  # of the token mask and the points of the flow
        total, _ = model.parse_losses(model(inputs, samples, mode='loss'))
        total.backward()
        return total.detach(), [p.grad.clone() for p in model.parameters()]

    first, second = gradients(0.0), gradients(0.7)
    assert torch.equal(first[0], second[0])
    assert all(torch.equal(a, b) for a, b in zip(first[1], second[1]))


@pytest.mark.parametrize(
    'off, kept, frozen',
    [
        (['objective.loss_vertices'], 4, None),
        (['objective.loss_keypoints3d'], 4, None),
        (['objective.loss_keypoints2d'], 4, None),
        (['loss_silhouette'], 4, 'silhouette_decoder'),
        (OBJECTIVE, 2, None),
        ([*OBJECTIVE, 'flow_head'], 1, 'head'),
        ([*OBJECTIVE, 'silhouette_decoder'], 1, None),
    ],
)
def test_a_loss_of_none_is_off_and_the_rest_trains(
    off, kept, frozen, model_cfg, body
):
    cfg = copy.deepcopy(model_cfg)
    for key in off:
        *parents, name = key.split('.')
        node = cfg
        for parent in parents:
            node = node[parent]
        node[name] = None
    model = build(cfg).train()
    losses = model(make_inputs(), [make_sample(body, 0)] * 2, mode='loss')
    assert len(losses) == kept
    model.parse_losses(losses)[0].backward()
    for name, parameter in model.named_parameters():
        is_frozen = frozen is not None and name.startswith(f'{frozen}.')
        assert parameter.requires_grad != is_frozen
        assert (parameter.grad is None) == is_frozen


def test_a_model_without_any_term_says_so(model_cfg, body):
    cfg = copy.deepcopy(model_cfg)
    cfg.objective.update(
        dict.fromkeys(
            ('loss_vertices', 'loss_keypoints3d', 'loss_keypoints2d')
        )
    )
    cfg.flow_head = cfg.loss_silhouette = None
    with pytest.raises(ValueError, match='nothing to train'):
        build(cfg)(make_inputs(), [make_sample(body, 0)] * 2, mode='loss')


def test_the_config_of_a_part_wins_over_what_is_derived(model_cfg):
    cfg = copy.deepcopy(model_cfg)
    cfg.encoder.with_depth = False
    cfg.head.depth_channels = None
    cfg.objective.body_model = dict(num_betas=4)
    cfg.flow_head.num_points = 5
    model = build(cfg)
    assert not model.encoder.with_depth
    assert model.head.regressor.depth_channels is None
    assert model.flow_head.num_points == 5
    # There is one body in a model, wherever it is named.
    assert model.body_model is model.objective.body_model
    assert model.body_model.num_betas == 4


@pytest.mark.parametrize('head', ['CoarseMeshHead', 'SMPLHead'])
@pytest.mark.parametrize('num_betas', [1, 7])
def test_a_body_of_any_number_of_betas_trains(
    num_betas, head, model_cfg, body
):
    cfg = copy.deepcopy(model_cfg)
    cfg.body_model = dict(type='mmd2a.SMPLBodyModel', num_betas=num_betas)
    cfg.head = dict(type=f'mmd2a.{head}')
    model = build(cfg).train()
    samples = [make_sample(body, i) for i in range(2)]
    losses = model(make_inputs(), samples, mode='loss')
    total, _ = model.parse_losses(losses)
    total.backward()
    assert torch.isfinite(total)


def test_half_precision_trains_to_about_the_same_losses(model_cfg, body):
    model = build(model_cfg).train()
    inputs, samples = make_inputs(), [make_sample(body, i) for i in range(2)]
    losses = []
    for enabled in (False, True):
        torch.manual_seed(0)
        with torch.autocast('cpu', torch.bfloat16, enabled=enabled):
            losses.append(model(inputs, samples, mode='loss'))
    sum(losses[1].values()).backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
    for name, value in losses[0].items():
        torch.testing.assert_close(
            losses[1][name], value, rtol=0.05, atol=0.02
        )


def test_a_batch_without_any_label_is_harmless(model_cfg, body):
    model = build(model_cfg).train()
    samples = [
        make_sample(body, i, **dict.fromkeys(WEIGHTS, 0.0)) for i in range(2)
    ]
    total, _ = model.parse_losses(model(make_inputs(), samples, mode='loss'))
    total.backward()
    assert total == 0
    assert all((p.grad == 0).all() for p in model.parameters())


def test_a_sample_without_depth_is_answered_by_the_image_alone(
    model_cfg, body
):
    model = build(model_cfg).eval()
    inputs = make_inputs()
    inputs['has_depth'] = torch.tensor([1.0, 0.0])
    other = {**inputs, 'depth': inputs['depth'].clone()}
    other['depth'][1] = 7.0
    with torch.no_grad():
        a, b = model(inputs), model(other)
    assert torch.equal(a['vertices'], b['vertices'])


def test_raw_depth_of_somebody_without_it_leaves_no_trace(model_cfg, body):
    """Also where the preprocessor, which cleans it, is not asked."""
    model = build(model_cfg).train()
    samples = [make_sample(body, i) for i in range(2)]
    inputs = make_inputs()
    inputs['has_depth'] = torch.tensor([1.0, 0.0])
    results = []
    for value in (0.0, torch.nan):
        inputs['depth'][1] = value
        model.zero_grad()
        torch.manual_seed(0)
        total, _ = model.parse_losses(model(inputs, samples, mode='loss'))
        total.backward()
        results.append([total, *(p.grad for p in model.parameters())])
        results[-1] = [x.detach().clone() for x in results[-1]]
    assert all(x.isfinite().all() for x in results[1])
    assert all(torch.equal(a, b) for a, b in zip(*results))


def test_predictions_are_root_relative_and_complete(model_cfg, body):
    cfg = copy.deepcopy(model_cfg)
    cfg.keep_mask = True
    model = build(cfg).eval()
    with torch.no_grad():
        samples = model(
            make_inputs(),
            [make_sample(body, i) for i in range(2)],
            mode='predict',
        )
    pred = samples[0].pred
    names = body.joint_names('h36m14')
    hips = [names.index('left_hip'), names.index('right_hip')]
    assert pred.vertices.shape == (body.num_vertices, 3)
    assert pred.keypoints3d[hips].mean(0).abs().max() < 1e-6
    assert pred.sigma.shape == (body.num_vertices,)
    assert (pred.sigma > 0).all()
    assert 0 <= pred.mask.min() and pred.mask.max() <= 1
    assert not pred.vertices.requires_grad


@pytest.mark.parametrize('head', ['CoarseMeshHead', 'SMPLHead'])
def test_parameters_come_with_any_head_on_request(head, model_cfg, body):
    cfg = copy.deepcopy(model_cfg)
    cfg.head = dict(type=f'mmd2a.{head}')
    cfg.body_fitter = dict(type='mmd2a.BodyFitter')
    model = build(cfg).eval()
    people = [make_sample(body, i) for i in range(2)]
    with torch.no_grad():
        pred = model(make_inputs(), people, mode='predict')[1].pred
    names = ('global_orient', 'body_pose', 'betas', 'transl')
    posed = body(**{name: pred.get(name)[None] for name in names}).vertices[0]
    residual = (posed - pred.vertices).norm(dim=-1).mean()
    torch.testing.assert_close(residual, pred.fit_residual, atol=1e-5, rtol=0)
    assert residual < (1e-5 if head == 'SMPLHead' else 0.05)


@pytest.mark.parametrize('dims', [2, 3])
def test_the_density_of_the_joints_is_among_the_predictions(
    dims, model_cfg, body
):
    cfg = copy.deepcopy(model_cfg)
    cfg.flow_head.dims = dims
    cfg.num_samples = 500
    model = build(cfg).eval()
    model.flow_head.temperature.fill_(2.0)

    def predict(batch):
        people = [make_sample(body, i) for i in range(batch)]
        with torch.no_grad():
            inputs = {k: v[:batch] for k, v in make_inputs().items()}
            return model(inputs, people, mode='predict')[0].pred

    pred = predict(2)
    sigma = pred.get(f'keypoints{dims}d_sigma')
    draws = pred.get(f'keypoints{dims}d_samples')
    assert sigma.shape == (14, dims)
    torch.testing.assert_close(draws.std(0), sigma, rtol=0.3, atol=0)
    joints = pred.get(f'keypoints{dims}d')
    assert ((draws.mean(0) - joints).abs() < 0.2 * sigma).all()
    if dims == 3:  # about 0.1 at the start, and the temperature
        assert 0.7 < pred.sigma.mean() / sigma.mean() < 1.4
    alone = predict(1).get(f'keypoints{dims}d_samples')
    torch.testing.assert_close(alone, draws, atol=1e-4, rtol=1e-4)


def test_a_depth_model_says_when_the_batch_has_no_depth(model_cfg):
    model = build(model_cfg).eval()
    with pytest.raises(ValueError, match='depth_branch=None'):
        model(make_inputs(with_depth=False))


def test_the_depth_branch_may_be_a_backbone_like_that_of_the_image(
    model_cfg, body
):
    cfg = copy.deepcopy(model_cfg)
    cfg.depth_branch = dict(cfg.backbone, in_channels=2)
    with pytest.raises(ValueError, match='depth_embedding=dict'):
        build(cfg)
    cfg.depth_embedding = cfg.patch_embedding
    model = build(cfg).train()
    losses = model(
        make_inputs(), [make_sample(body, i) for i in range(2)], mode='loss'
    )
    model.parse_losses(losses)[0].backward()
    assert all(p.grad is not None for p in model.parameters())


def test_crops_that_are_not_square_are_refused(model_cfg):
    model = build(model_cfg)
    with pytest.raises(ValueError, match='must be square'):
        model(dict(img=torch.zeros(1, 3, 64, 48)))


def test_a_wrong_joint_set_is_named(model_cfg, body):
    model = build(model_cfg)
    sample = make_sample(body, 0)
    sample.gt.keypoints3d = torch.zeros(24, 3)
    with pytest.raises(ValueError, match="joint_set='h36m14'"):
        model(make_inputs(1), [sample], mode='loss')


def test_no_checkpoint_holds_a_body(model_cfg):
    model = build(model_cfg)
    assert not [key for key in model.state_dict() if 'body_model' in key]


def test_a_head_that_does_not_fit_the_flow_head_is_told(model_cfg):
    class BareHead(nn.Module):
        def __init__(self, **kwargs):
            super().__init__()
            self.num_coarse_vertices = 4

    cfg = copy.deepcopy(model_cfg)
    cfg.head = dict(type=BareHead)
    with pytest.raises(
        TypeError, match='BareHead lacks coarse_ids, upsample_sigma, which'
    ):
        build(cfg)
    cfg.flow_head = None
    assert isinstance(build(cfg).head, BareHead)
