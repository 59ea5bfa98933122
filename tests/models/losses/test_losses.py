"""What every loss promises about weights, precision and empty batches."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from mmd2a.models.flows import RealNVP
from mmd2a.models.losses import JointLoss, RLELoss, SilhouetteLoss, VertexLoss
from mmd2a.registry import MODELS

B, P = 3, 5


@dataclass
class Case:
    """A loss with the shapes it takes."""

    build: Callable
    item: tuple[int, ...]  # shape of one weighted item
    items: tuple[int, ...] = (B, P)
    rle: bool = False
    target_item: tuple[int, ...] | None = None
    binary: bool = False

    def loss(self, **kwargs) -> Callable:
        """The loss as f(pred, target, weight, avg_factor, sigma)."""
        module = self.build(**kwargs)
        if not self.rle:
            return lambda pred, target, *args, sigma=None: module(
                pred, target, *args
            )
        torch.manual_seed(0)
        flow = RealNVP(dims=self.item[0], hidden=8, num_layers=2)
        return lambda pred, target, *args, sigma=None: module(
            pred,
            torch.ones_like(pred) if sigma is None else sigma,
            target,
            flow.to(torch.promote_types(pred.dtype, torch.float32)),
            *args,
        )

    def data(
        self, items: tuple[int, ...] | None = None
    ) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(1)
        items = self.items if items is None else items
        pred = torch.randn(*items, *self.item, generator=generator)
        target = torch.randn(
            *items, *(self.target_item or self.item), generator=generator
        )
        if self.binary:
            target = (target > 0).float()
        return pred.requires_grad_(), target


CASES = {
    'vertex': Case(VertexLoss, (3,)),
    'joint3d': Case(JointLoss, (3,)),
    'joint2d': Case(JointLoss, (2,)),
    'silhouette': Case(
        SilhouetteLoss, (1, 4, 4), (B,), target_item=(1, 16, 16), binary=True
    ),
    'rle_exact3d': Case(RLELoss, (3,), rle=True),
    'rle_exact2d': Case(RLELoss, (2,), rle=True),
    'rle_parity': Case(
        lambda **kw: RLELoss(mode='parity', **kw), (3,), rle=True
    ),
}


@pytest.fixture(params=CASES)
def case(request) -> Case:
    return CASES[request.param]


@pytest.mark.parametrize('garbage', [torch.nan, torch.inf, -torch.inf, 1e38])
def test_garbage_labels_leave_no_trace(case, garbage):
    pred, target = case.data()
    weight = torch.ones(case.items)
    weight[1] = 0
    clean = case.loss()(pred, target, weight)
    (clean_grad,) = torch.autograd.grad(clean, pred)
    target[1] = garbage
    dirty = case.loss()(pred, target, weight)
    (dirty_grad,) = torch.autograd.grad(dirty, pred)
    assert torch.equal(clean, dirty)
    assert torch.equal(clean_grad, dirty_grad)
    assert (dirty_grad[1] == 0).all()


@pytest.mark.parametrize('label', [torch.inf, -torch.inf, 3e38, 1e36, -1e20])
def test_far_labels_that_count_give_finite_value_and_gradient(case, label):
    pred, target = case.data()
    target[1] = label
    sigma = torch.rand_like(pred).mul(0.01).requires_grad_()
    weight = torch.ones(case.items)
    loss = case.loss()(pred, target, weight, sigma=sigma)
    grads = torch.autograd.grad(loss, (pred, sigma), allow_unused=True)
    assert loss.isfinite()
    for grad in grads:
        # Squared, as the norm of the gradient is before it is clipped.
        assert grad is None or grad.square().sum().isfinite()
    # What is far off still pulls.
    assert (grads[0][1] != 0).all() or case.binary


def test_far_predictions_give_finite_value_and_gradient(case):
    pred, target = case.data()
    pred = (pred.detach() * 1e36).requires_grad_()
    loss = case.loss()(pred, target, torch.ones(case.items))
    (grad,) = torch.autograd.grad(loss, pred)
    assert loss.isfinite() and grad.square().sum().isfinite()


def test_a_label_that_is_not_a_number_and_counts_is_not_hidden(case):
    pred, target = case.data()
    target[1] = torch.nan
    assert case.loss()(pred, target, torch.ones(case.items)).isnan()


def test_all_weights_zero_give_exactly_zero(case):
    pred, target = case.data()
    loss = case.loss()(pred, target * torch.nan, torch.zeros(case.items))
    (grad,) = torch.autograd.grad(loss, pred)
    assert loss == 0 and (grad == 0).all()


@pytest.mark.parametrize('weighted', [True, False])
def test_empty_batch_gives_zero_with_the_graph_attached(case, weighted):
    pred, target = case.data((0, *case.items[1:]))
    weight = torch.ones(0, *case.items[1:]) if weighted else None
    loss = case.loss()(pred, target, weight)
    assert loss == 0 and loss.requires_grad
    loss.backward()


def test_missing_labels_do_not_dilute_the_average(case):
    pred, target = case.data()
    weight = torch.zeros(case.items)
    weight[0] = 1
    loss = case.loss()
    torch.testing.assert_close(
        loss(pred, target, weight), loss(pred[:1], target[:1])
    )


def test_weight_is_a_factor(case):
    pred, target = case.data()
    loss, ones = case.loss(), torch.ones(case.items)
    torch.testing.assert_close(
        loss(pred, target, 2.5 * ones), 2.5 * loss(pred, target)
    )
    torch.testing.assert_close(loss(pred, target, ones), loss(pred, target))


def test_avg_factor_replaces_the_number_of_items(case):
    pred, target = case.data()
    loss, weight = case.loss(), torch.rand(case.items)
    expected = loss(pred, target, weight) * weight.numel()
    torch.testing.assert_close(loss(pred, target, weight, 1.0), expected)
    torch.testing.assert_close(
        loss(pred, target, weight, torch.tensor(4.0)), expected / 4
    )


def test_loss_weight_is_a_factor(case):
    pred, target = case.data()
    torch.testing.assert_close(
        case.loss(loss_weight=3.0)(pred, target), 3 * case.loss()(pred, target)
    )


@pytest.mark.parametrize(
    'case',
    [c for c in CASES.values() if len(c.items) == 2],
    ids=[name for name, c in CASES.items() if len(c.items) == 2],
)
def test_one_weight_per_sample_counts_for_its_points(case):
    pred, target = case.data()
    weight = torch.tensor([[1.0], [0.0], [0.5]])
    loss = case.loss()
    torch.testing.assert_close(
        loss(pred, target, weight), loss(pred, target, weight.expand(B, P))
    )


def test_half_precision_is_computed_in_float32(case):
    pred, target = case.data()
    half = pred.detach().bfloat16()
    expected = case.loss()(half.float(), target)
    with torch.autocast('cpu', torch.bfloat16):
        loss = case.loss()(half, target)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, expected)


def test_double_precision_is_kept(case):
    pred, target = case.data()
    assert case.loss()(pred.double(), target.double()).dtype == torch.float64


def test_inputs_are_left_alone(case):
    pred, target = case.data()
    weight, sigma = torch.rand(case.items), torch.rand_like(pred)
    inputs = (pred, target, weight, sigma)
    kept = [x.detach().clone() for x in inputs]
    case.loss()(pred, target, weight, sigma=sigma).backward()
    assert all(torch.equal(x, y) for x, y in zip(inputs, kept))


@pytest.mark.parametrize(
    'name', ['VertexLoss', 'JointLoss', 'RLELoss', 'SilhouetteLoss']
)
def test_builds_from_a_config(name):
    loss = MODELS.build(dict(type=f'mmd2a.{name}', loss_weight=2.0))
    assert loss.loss_weight == 2.0


def test_l1_losses_are_the_mean_absolute_error():
    for loss, dims in ((VertexLoss(), 3), (JointLoss(), 2), (JointLoss(), 3)):
        pred, target = torch.randn(2, 4, 7, dims)
        torch.testing.assert_close(
            loss(pred, target), torch.nn.functional.l1_loss(pred, target)
        )


def test_shapes_that_do_not_fit_are_refused():
    # Broadcasting would turn this into an average over wrong pairs.
    with pytest.raises(ValueError, match='differ in shape'):
        JointLoss()(torch.zeros(2, 14, 3), torch.zeros(2, 1, 3))
    with pytest.raises(ValueError, match='one number per image'):
        SilhouetteLoss()(
            torch.zeros(2, 1, 4, 4),
            torch.zeros(2, 1, 4, 4),
            torch.ones(2, 1, 1, 1),
        )


def test_right_silhouette_costs_nothing_and_wrong_one_much():
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    logits = 40 * mask[..., ::4, ::4] - 20
    assert SilhouetteLoss()(logits, mask) < 1e-4
    assert SilhouetteLoss()(-logits, mask) > 10


def test_half_covered_pixels_have_half_a_label():
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., ::2] = 1
    logits = torch.zeros(1, 1, 2, 2, requires_grad=True)
    loss = SilhouetteLoss()(logits, mask)
    # BCE log 2; Dice 1 - (2 * 1 + 1) / (2 + 2 + 1).
    assert loss.item() == pytest.approx(0.6931 + 0.4, abs=1e-4)
