"""ImpHMR: any ablation trains, views are of one person, bad input is told."""

import copy
import itertools
import math
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from mmd2a.geometry import weak_perspective_project
from mmd2a.registry import MODELS

CONFIG = Path(__file__).resolve().parents[3] / 'configs/imphmr/imphmr_hrnet.py'
TERMS = ('imagination', 'silhouette_decoder', 'consistency')
KINDS = ('smpl', 'keypoints3d', 'keypoints2d', 'mask')


@pytest.fixture(scope='module')
def model_cfg():
    pytest.importorskip('mmpose')
    cfg = Config.fromfile(CONFIG)
    init_default_scope(cfg.default_scope)
    # Sizes of a test.
    cfg.model.renderer.update(size=6, num_samples=4)
    cfg.model.field.update(hidden=16, out_channels=16)
    return cfg.model


@pytest.fixture(scope='module')
def images():
    generator = torch.Generator().manual_seed(0)
    return dict(img=torch.randn(2, 3, 64, 64, generator=generator))


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


@pytest.mark.parametrize('conditioning', ['global', 'film', 'pixel'])
@pytest.mark.parametrize(
    'on', list(itertools.product([True, False], repeat=len(TERMS)))
)
def test_any_ablation_trains_every_parameter(
    on, conditioning, model_cfg, images, people
):
    off = {name: None for name, is_on in zip(TERMS, on) if not is_on}
    field = dict(model_cfg.field, conditioning=conditioning)
    model = build(model_cfg, field=field, **off).train()
    losses, total = total_of(model, images, people)
    imagination, silhouette, consistency = on
    reg = {'loss_keypoints3d', 'loss_keypoints2d', 'loss_pose', 'loss_betas'}
    expected = set(reg)
    if imagination:
        kinds = ('keypoints3d', 'pose', 'betas')
        expected |= {f'loss_{kind}_imagined' for kind in kinds}
    if silhouette:
        expected.add('loss_silhouette')
    if consistency:
        expected |= {f'loss_{k}_consistency' for k in ('pose', 'betas')}
    assert losses.keys() == expected
    assert torch.isfinite(total)
    total.backward()
    assert not [
        name
        for name, p in model.named_parameters()
        if p.requires_grad and (p.grad is None or not p.grad.isfinite().all())
    ]


@pytest.mark.parametrize(
    'off, frozen',
    [
        (dict(loss_silhouette=None), 'silhouette_decoder'),
        (
            dict(
                imagination=None,
                consistency=None,
                objective=dict.fromkeys(
                    (
                        'loss_keypoints3d',
                        'loss_keypoints2d',
                        'loss_pose',
                        'loss_betas',
                    )
                ),
            ),
            'head',
        ),
    ],
)
def test_what_no_term_reaches_is_frozen(
    off, frozen, model_cfg, images, people
):
    if 'objective' in off:
        off = dict(off, objective={**model_cfg.objective, **off['objective']})
    model = build(model_cfg, **off).train()
    total_of(model, images, people)[1].backward()
    for name, parameter in model.named_parameters():
        is_frozen = name.startswith(f'{frozen}.')
        assert parameter.requires_grad != is_frozen, name
        assert (parameter.grad is None) == is_frozen, name


def test_a_batch_of_one_trains(model_cfg, images, people):
    model = build(model_cfg).train()
    one = dict(img=images['img'][:1])
    losses, total = total_of(model, one, people[:1])
    total.backward()
    assert torch.isfinite(total)


def test_without_labels_only_consistency_is_left(
    model_cfg, images, body, make_sample
):
    unknown = {
        f'{kind}_weight': torch.zeros(14 if 'keypoints' in kind else ())
        for kind in KINDS
    }
    sizes = dict(global_orient=3, body_pose=69, betas=10)
    nan = {name: torch.full((n,), torch.nan) for name, n in sizes.items()}
    samples = [make_sample(body, i, **unknown, **nan) for i in range(2)]
    model = build(model_cfg).train()
    losses, total = total_of(model, images, samples)
    for name, value in losses.items():
        assert (value > 0) == name.endswith('consistency'), name
    total.backward()
    grads = [p.grad for p in model.parameters() if p.requires_grad]
    assert all(grad is not None and grad.isfinite().all() for grad in grads)
    assert sum(grad.abs().sum() for grad in grads) > 0


def test_with_2d_labels_alone_views_learn_by_consistency(
    model_cfg, images, body, make_sample
):
    unknown = dict(
        smpl_weight=torch.tensor(0.0),
        keypoints3d_weight=torch.zeros(14),
        mask_weight=torch.tensor(0.0),
    )
    samples = [make_sample(body, i, **unknown) for i in range(2)]
    losses, _ = total_of(build(model_cfg).train(), images, samples)
    learned = {name for name, value in losses.items() if value > 0}
    assert learned == {
        'loss_keypoints2d',
        'loss_pose_consistency',
        'loss_betas_consistency',
    }


def test_a_view_of_angle_zero_is_the_canonical_one(model_cfg, images):
    model = build(model_cfg, keep_mask=True).eval()
    with torch.no_grad():
        seen = model(images)
        for yaw in (0.0, torch.zeros(2)):
            again = model.imagine(seen, yaw)
            for key, value in again.items():
                torch.testing.assert_close(
                    value, seen[key], atol=1e-5, rtol=1e-4
                )
        whole = model.imagine(seen, 2 * math.pi)
        left = model.imagine(seen, math.pi / 2)
    torch.testing.assert_close(
        whole['vertices'], seen['vertices'], atol=1e-4, rtol=1e-3
    )
    assert not torch.allclose(left['opacity'], seen['opacity'], atol=1e-4)


def test_views_turn_about_the_root_that_was_found(model_cfg, images):
    """The spot of the root stays where it is; about the middle it moves."""
    model = build(model_cfg).eval()
    with torch.no_grad():
        seen = model(images)
    seen['camera'] = torch.tensor([[0.8, 0.5, 0.1], [1.0, -0.2, 0.0]])
    root = weak_perspective_project(torch.zeros(2, 1, 3), seen['camera'])

    def spot(points, directions):
        at_root = points - torch.nn.functional.pad(root, (0, 1))[:, None]
        near = at_root.square().sum(-1)
        return 80 * torch.exp(-40 * near), points.new_ones(*near.shape, 16)

    model.renderer.size, model.renderer.num_samples = (20, 20), 20
    seen['field'] = spot
    axis = (2 * torch.arange(20) + 1) / 20 - 1
    for pivot in ('root', 'middle'):
        model.pivot = pivot
        opacity = model.imagine(seen, 2.0)['opacity'][:, 0]
        share = opacity / opacity.sum((1, 2), keepdim=True)
        found = (share.sum(1) * axis).sum(1)
        stayed = torch.allclose(found, root[:, 0, 0], atol=0.02)
        assert stayed == (pivot == 'root')


def test_predictions_are_those_of_the_canonical_view(
    model_cfg, images, people, body
):
    model = build(model_cfg, keep_mask=True).eval()
    with torch.no_grad():
        seen = model(images)
        predicted = model(images, people, mode='predict')
    for index, sample in enumerate(predicted):
        pred = sample.pred
        assert pred.vertices.shape == (body.num_vertices, 3)
        assert torch.equal(pred.vertices, seen['vertices'][index])
        assert pred.global_orient.shape == (3,)
        assert pred.body_pose.shape == (69,)
        assert pred.mask.shape == (1, 48, 48)
        assert 0 <= pred.mask.min() <= pred.mask.max() <= 1
    # Deterministic, whatever was drawn before.
    torch.rand(7)
    assert torch.equal(model(images)['vertices'], seen['vertices'])


def test_it_learns_what_two_people_look_like_from_all_sides(
    model_cfg, images, people
):
    model = build(model_cfg).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    history = []
    for step in range(20):
        losses, total = total_of(model, images, people, seed=step)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        history.append(losses)
    for name in ('loss_pose', 'loss_pose_imagined', 'loss_silhouette'):
        first, last = (float(history[i][name].detach()) for i in (0, -1))
        assert last < 0.85 * first, name


class Alternating(nn.Module):
    """Angles that are the same for everybody, 0.7 and -1.1 in turns."""

    def forward(self, batch, device):
        self.last = -1.1 if getattr(self, 'last', 0) == 0.7 else 0.7
        return torch.full((batch,), self.last, device=device)


def test_two_ranks_learn_what_one_process_does(model_cfg, images, people):
    """Gradients of halves of a batch have the mean of those of the whole."""
    model = build(model_cfg).train()
    # Statistics of BatchNorm and random samples are each rank's own.
    model.backbone.eval()
    model.renderer.eval()
    model.yaw = Alternating()

    def gradients(start, stop):
        model.zero_grad()
        part = dict(img=images['img'][start:stop])
        total_of(model, part, people[start:stop])[1].backward()
        return [p.grad.clone() for p in model.parameters()]

    whole, *halves = (gradients(*part) for part in ((0, 2), (0, 1), (1, 2)))
    for both, first, second in zip(whole, *halves):
        torch.testing.assert_close(
            both, (first + second) / 2, atol=2e-5, rtol=2e-3
        )


@pytest.mark.parametrize('num_views', [1, 3])
def test_any_number_of_views_is_drawn(num_views, model_cfg, images, people):
    off = dict(consistency=None) if num_views == 1 else {}
    model = build(model_cfg, num_views=num_views, **off).train()
    assert torch.isfinite(total_of(model, images, people)[1])


def test_a_checkpoint_holds_no_body(model_cfg):
    model = build(model_cfg)
    state = set(model.state_dict())
    buffers = {name for name, _ in model.named_buffers()}
    assert not [name for name in state & buffers if 'body_model' in name]


def test_half_precision_trains_to_about_the_same_losses(
    model_cfg, images, people
):
    model = build(model_cfg).train()
    exact, _ = total_of(model, images, people)
    with torch.autocast('cpu', torch.bfloat16):
        half, total = total_of(model, images, people)
    total.backward()
    for name, value in exact.items():
        torch.testing.assert_close(half[name], value, atol=0.02, rtol=0.1)


@pytest.mark.parametrize(
    'wrong, why',
    [
        (dict(pivot='head'), "pivot='head' must be one of"),
        (dict(num_views=1), 'num_views=1 is too few'),
        (dict(num_views=0, consistency=None), 'num_views=0'),
        (dict(frozen=('neck',)), 'neck is no part of this model'),
        (dict(yaw=dict(type='mmd2a.UniformYaw', reach=4.0)), 'reach=4.0'),
    ],
)
def test_options_that_there_are_not_are_refused(wrong, why, model_cfg):
    with pytest.raises(ValueError, match=why):
        build(model_cfg, **wrong)


@pytest.mark.parametrize('yaw', [math.nan, math.inf])
def test_an_angle_that_is_none_is_refused(yaw, model_cfg, images):
    model = build(model_cfg).eval()
    seen = model(images)
    with pytest.raises(ValueError, match='yaw must be finite'):
        model.imagine(seen, yaw)
    with pytest.raises(ValueError, match='yaw must be finite'):
        model.imagine(seen, torch.tensor([0.0, yaw]))


def test_bad_input_is_told(model_cfg, images, people):
    model = build(model_cfg).eval()
    with pytest.raises(ValueError, match='64 x 48.*must be square'):
        model(dict(img=images['img'][..., :48]))
    with pytest.raises(ValueError, match='B > 0'):
        model(dict(img=images['img'][:0]))
    with pytest.raises(ValueError, match='needs data_samples'):
        model(images, mode='loss')
    with pytest.raises(ValueError, match='there are no labels'):
        model(images, [], mode='loss')
    with pytest.raises(ValueError, match="'tensor', 'loss' or 'predict'"):
        model(images, people, mode='other')


def test_a_head_without_parameters_is_told(model_cfg, images, people):
    head = dict(type='mmd2a.CoarseMeshHead', num_coarse_vertices=54)
    model = build(model_cfg, head=head).train()
    with pytest.raises(ValueError, match="head.type='mmd2a.SMPLHead'"):
        model(images, people, mode='loss')
