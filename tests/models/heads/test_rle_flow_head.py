"""The flow head: a positive scale per point, learned from labels."""

import pytest
import torch

from mmd2a.models.flows import RealNVP
from mmd2a.models.heads import RLEFlowHead
from mmd2a.registry import MODELS

C, P = 16, 20


def build(**kwargs) -> RLEFlowHead:
    torch.manual_seed(0)
    return RLEFlowHead(C, P, hidden=32, **kwargs)


@pytest.mark.parametrize('dims', [2, 3])
@pytest.mark.parametrize('num_tokens', [1, 36, 49])
def test_any_number_of_tokens_gives_a_scale_per_point(dims, num_tokens):
    sigma = build(dims=dims)(torch.randn(4, num_tokens, C))
    assert sigma.shape == (4, P, dims)
    torch.testing.assert_close(
        sigma, torch.full_like(sigma, 0.1), atol=0.02, rtol=0
    )


def test_scale_never_falls_below_its_floor():
    head = build(min_sigma=0.01)
    torch.nn.init.constant_(head.mlp[-1].bias, -100.0)
    assert (head(torch.randn(2, 9, C)) >= 0.01).all()


@pytest.mark.parametrize('dims', [2, 3])
@pytest.mark.parametrize('mode', ['exact', 'parity'])
def test_every_parameter_learns(dims, mode):
    head = build(
        dims=dims,
        loss=dict(type='mmd2a.RLELoss', mode=mode),
        points_per_step=None,
    )
    sigma = head(torch.randn(4, 9, C))
    mean = torch.randn(4, P, dims)
    head.loss(mean, sigma, torch.randn(4, P, dims)).backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        # The last shift of the flow moves its density as a whole, which is
        # what mode 'exact' takes out again.
        if mode != 'exact' or name != 'flow.t.5.4.bias':
            assert parameter.grad.abs().sum() > 0, name


def test_garbage_labels_leave_no_trace():
    head = build().eval()
    sigma = head(torch.randn(2, 9, C))
    mean, target = torch.randn(2, 2, P, 3)
    weight = torch.ones(2, P)
    weight[0, :5] = 0
    clean = head.loss(mean, sigma, target, weight)
    target[0, :5] = torch.nan
    assert torch.equal(head.loss(mean, sigma, target, weight), clean)


def _labels(kind: str) -> torch.Tensor:
    """Weights (8, P), or (8, 1), of a batch whose labels are mixed."""
    weight = torch.ones(8, P)
    if kind == 'mixed':
        weight = torch.rand(8, P)
        weight[:3, 6:] = 0  # few points
        weight[3:5] = 0  # none
        weight[5, 0] = 0
    elif kind == 'rare':
        weight = torch.zeros(8, P)
        weight[2, 3] = 1
    elif kind == 'samples':
        weight = torch.tensor([[1.0], [0.0]]).repeat(4, 1)
    elif kind == 'nobody':
        weight = torch.zeros(8, P)
    return weight


@pytest.mark.parametrize('avg_factor', [None, 8.0, torch.tensor(50.0)])
@pytest.mark.parametrize(
    'kind', ['none', 'all', 'mixed', 'rare', 'samples', 'nobody']
)
def test_mean_over_draws_is_the_loss_of_all_points(kind, avg_factor):
    flow = dict(type='mmd2a.RealNVP', base='laplace', num_layers=2, hidden=8)
    head = build(points_per_step=5, flow=flow)
    sigma = head(torch.randn(8, 9, C)).detach()
    mean, target = torch.randn(2, 8, P, 3) * 0.1
    weight = None if kind == 'none' else _labels(kind)
    if weight is not None:
        target = target.masked_fill((weight <= 0)[..., None], torch.nan)
    with torch.no_grad():
        every = head.eval().loss(mean, sigma, target, weight, avg_factor)
        some = torch.stack(
            [
                head.train().loss(mean, sigma, target, weight, avg_factor)
                for _ in range(200)
            ]
        )
    few = kind in ('rare', 'nobody')
    assert (some.std() > 1e-6) != few
    error = 4 * some.std() / 200**0.5 + 1e-5 * every.abs()
    assert abs(some.mean() - every) <= error


def test_no_draw_misses_the_only_labelled_point():
    """Where a step drew none it counted 0."""
    head = build(points_per_step=1)
    sigma = head(torch.randn(8, 9, C)).detach()
    mean, target = torch.randn(2, 8, P, 3)
    weight = _labels('rare')
    expected = head.eval().loss(mean, sigma, target, weight)
    head.train()
    for _ in range(20):
        torch.testing.assert_close(
            head.loss(mean, sigma, target, weight), expected
        )


def test_only_drawn_points_are_charged_to_the_flow():
    head = build(points_per_step=5)
    sigma, seen = head(torch.randn(8, 9, C)), []
    head.flow.log_prob = lambda x: seen.append(x.shape) or x.sum(-1)
    head.loss(torch.zeros(8, P, 3), sigma, torch.ones(8, P, 3))
    assert [shape[:-1].numel() for shape in seen] == [40]


@pytest.mark.parametrize('weight_shape', [(8, P), (8, 1)])
def test_weights_follow_the_random_points(weight_shape):
    head = build(points_per_step=5)
    sigma = head(torch.randn(8, 9, C))
    mean, target = torch.randn(2, 8, P, 3)
    weight = torch.ones(weight_shape)
    weight[3] = 0
    target[3] = torch.nan
    assert head.loss(mean, sigma, target, weight).isfinite()


def test_samples_have_the_mean_and_scale_that_were_predicted():
    head = build()
    for net in [*head.flow.s, *head.flow.t]:
        torch.nn.init.normal_(net[4].weight, std=0.15)
        torch.nn.init.normal_(net[4].bias, std=0.2)
    mean = torch.randn(1, P, 3)
    sigma = 0.02 + 0.1 * torch.rand(1, P, 3)
    samples = head.sample(mean, sigma, 4000)
    assert samples.shape == (4000, 1, P, 3)
    assert ((samples.mean(0) - mean).abs() < 0.15 * sigma).all()
    torch.testing.assert_close(samples.std(0), sigma, rtol=0.15, atol=0)


def test_the_temperature_scales_sigma_in_evaluation_and_is_saved():
    torch.manual_seed(0)
    head, z = RLEFlowHead(8, P), torch.randn(2, 5, 8)
    raw = head(z)
    head.temperature.fill_(1.5)
    assert head(z).equal(raw)
    assert head.eval()(z).equal(1.5 * raw)
    assert head.state_dict()['temperature'] == 1.5


def test_weights_from_before_there_was_a_temperature_still_load():
    head = RLEFlowHead(8, P)
    earlier = head.state_dict()
    del earlier['temperature']
    other = RLEFlowHead(8, P)
    other.temperature.fill_(3.0)
    other.load_state_dict(earlier)
    assert other.temperature == 1


def test_parity_refuses_to_be_sampled():
    head = build(loss=dict(type='mmd2a.RLELoss', mode='parity'))
    with pytest.raises(ValueError, match='exact'):
        head.sample(torch.zeros(1, P, 3), torch.ones(1, P, 3), 2)


@pytest.mark.parametrize(
    'mode, base', [('exact', 'laplace'), ('parity', 'gaussian')]
)
def test_each_mode_gets_the_base_it_is_defined_with(mode, base):
    head = build(loss=dict(type='mmd2a.RLELoss', mode=mode))
    assert head.flow.base == base


def test_half_precision_networks_give_full_precision_scales():
    head, z = build(), torch.randn(2, 9, C)
    with torch.autocast('cpu', torch.bfloat16):
        sigma = head(z)
        loss = head.loss(torch.zeros(2, P, 3), sigma, torch.ones(2, P, 3))
    assert sigma.dtype == loss.dtype == torch.float32


def test_builds_from_a_config():
    head = MODELS.build(
        dict(
            type='mmd2a.RLEFlowHead',
            in_channels=C,
            num_points=P,
            dims=2,
            flow=dict(type='mmd2a.RealNVP', num_layers=4),
            loss=dict(type='mmd2a.RLELoss', mode='parity', loss_weight=0.1),
        )
    )
    assert isinstance(head.flow, RealNVP)
    assert head.flow.dims == 2 and len(head.flow.mask) == 4
    assert head.loss_module.loss_weight == 0.1


def test_the_number_of_points_may_follow_from_the_dims():
    for dims, points in ((2, 4), (3, 9)):
        head = RLEFlowHead(C, {2: 4, 3: 9}, dims=dims)
        assert head(torch.zeros(1, 5, C)).shape == (1, points, dims)


@pytest.mark.parametrize('mode', ['exact', 'parity'])
def test_without_a_flow_the_base_is_the_density(mode):
    head = build(flow=None, loss=dict(type='mmd2a.RLELoss', mode=mode))
    assert not list(head.flow.parameters())
    assert (
        head.flow.base
        == build(loss=dict(type='mmd2a.RLELoss', mode=mode)).flow.base
    )
    mean = torch.zeros(2, P, 3)
    head.loss(mean, head(torch.randn(2, 9, C)), mean + 0.1).backward()
    assert all(p.grad is not None for p in head.parameters())


def test_the_config_of_the_flow_wins():
    flow = dict(type='mmd2a.RealNVP', dims=2, num_layers=1)
    assert build(dims=3, flow=flow).flow.dims == 2
    assert build(dims=2, flow=dict(type='mmd2a.RealNVP')).flow.dims == 2


def test_a_flow_head_without_a_loss_is_refused():
    with pytest.raises(ValueError, match='flow_head=None'):
        build(loss=None)
