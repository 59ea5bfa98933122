"""RLE: the published arithmetic to the digit, or a true density."""

import importlib.util
import math
import sys
import types
from pathlib import Path

import pytest
import torch
from torch import nn

from mmd2a.models.flows import RealNVP
from mmd2a.models.losses import RLELoss


def rough_flow(dims: int, base: str = 'laplace', seed: int = 0) -> RealNVP:
    torch.manual_seed(seed)
    flow = RealNVP(dims=dims, base=base)
    for net in [*flow.s, *flow.t]:
        nn.init.normal_(net[4].weight, std=0.15)
        nn.init.normal_(net[4].bias, std=0.2)
    return flow


def identity_flow(dims: int, base: str) -> RealNVP:
    flow = RealNVP(dims=dims, base=base)
    for net in [*flow.s, *flow.t]:
        nn.init.zeros_(net[4].weight)
    return flow


@pytest.fixture
def published_loss(monkeypatch):
    """mmpose's RLELoss, from its file: its package needs compiled ops."""
    spec = importlib.util.find_spec('mmpose')
    if spec is None:
        pytest.skip('needs mmpose')
    models = Path(spec.origin).parent / 'models'
    spec = importlib.util.spec_from_file_location(
        'published_realnvp', models / 'utils/realnvp.py'
    )
    realnvp = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(realnvp)
    source = (models / 'losses/regression_loss.py').read_text()
    start = source.index('class RLELoss')
    source = source[start : source.index('\n\n\n', start)]
    module = types.ModuleType('published_rle')
    vars(module).update(nn=nn, torch=torch, math=math, RealNVP=realnvp.RealNVP)
    monkeypatch.setitem(sys.modules, 'published_rle', module)
    exec(compile(source, 'published_rle', 'exec'), vars(module))
    return module.RLELoss


@pytest.mark.parametrize('q', ['laplace', 'gaussian'])
def test_parity_is_the_published_arithmetic(published_loss, q):
    torch.manual_seed(0)
    published = published_loss(use_target_weight=True, q_distribution=q)
    for parameter in published.flow_model.parameters():
        nn.init.normal_(parameter, std=0.2)
    flow = RealNVP(dims=2)
    flow.load_state_dict(published.flow_model.state_dict())
    pred, raw = torch.randn(2, 4, 17, 2, requires_grad=True).unbind()
    target = torch.randn(4, 17, 2)
    weight = (torch.rand(4, 17) < 0.7).float()
    expected = published(pred, raw, target, weight[..., None].clone())
    loss = RLELoss(mode='parity', q_distribution=q)(
        pred, raw.sigmoid(), target, flow, weight, avg_factor=4
    )
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-4)
    for ours, theirs in zip(
        torch.autograd.grad(loss, (pred, raw)),
        torch.autograd.grad(expected, (pred, raw)),
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('dims', [2, 3])
def test_parity_counts_the_flow_d_times_and_sigma_twice(dims):
    """The value differs from the true −log p by terms known in closed form."""
    flow = identity_flow(dims, 'gaussian')
    error = torch.linspace(-1, 2, dims)
    sigma = torch.linspace(0.2, 0.5, dims)
    parity = RLELoss(mode='parity').per_point(
        error * sigma, sigma, torch.zeros(dims), flow
    )
    gauss = torch.distributions.Normal(0, 1).log_prob(error).sum()
    laplace = torch.distributions.Laplace(0, 1).log_prob(error).sum()
    log_sigma = sigma.log().sum()
    torch.testing.assert_close(parity, 2 * log_sigma - laplace - dims * gauss)
    # The density that RLE writes, Q G / (c' σ): for an identity flow
    # c' = e^(1/2) Φ(−1) per dim.
    log_c = dims * (0.5 + math.log(0.5 * math.erfc(2**-0.5)))
    true = log_sigma - laplace - gauss + log_c
    torch.testing.assert_close(
        parity - true, log_sigma - (dims - 1) * gauss - log_c
    )


@pytest.mark.parametrize('q', ['laplace', 'gaussian'])
@pytest.mark.parametrize('dims', [2, 3])
def test_paper_has_each_term_once(dims, q):
    """With an identity flow, whose c is known in closed form."""
    error = torch.linspace(-1, 2, dims)
    sigma = torch.linspace(0.2, 0.5, dims)
    loss = RLELoss(mode='paper', q_distribution=q, num_samples=100_000)
    paper = loss.eval().per_point(
        torch.zeros(dims),
        sigma,
        error * sigma,
        identity_flow(dims, 'gaussian'),
    )
    gauss = torch.distributions.Normal(0, 1).log_prob(error).sum()
    if q == 'laplace':
        log_q = torch.distributions.Laplace(0, 1).log_prob(error).sum()
        log_c = -dims * (0.5 + math.log(0.5 * math.erfc(2**-0.5)))
    else:
        log_q, log_c = gauss, dims * 0.5 * math.log(4 * math.pi)
    expected = -log_q - gauss - log_c + sigma.log().sum()
    torch.testing.assert_close(paper, expected, atol=0.02, rtol=0)


def test_paper_integrates_to_one_and_c_learns_with_the_flow():
    flow = rough_flow(2, 'gaussian')
    mean, sigma = torch.tensor([0.3, -0.2]), torch.tensor([0.05, 0.2])
    axis = torch.linspace(-10, 10, 251)
    x = mean + sigma * torch.cartesian_prod(axis, axis)
    loss = RLELoss(mode='paper', num_samples=100_000).eval()
    area = (20 / 250) ** 2 * sigma.prod()
    with torch.no_grad():
        p = (-loss.per_point(mean, sigma, x, flow)).exp() * area
    assert p.sum() == pytest.approx(1, abs=0.02)
    gradient = torch.autograd.grad(
        loss._log_c(flow, mean), flow.t[0][4].weight
    )[0]
    assert gradient.abs().max() > 0


def test_paper_draws_anew_in_training_and_never_in_evaluation():
    flow, points = rough_flow(3, 'gaussian'), torch.zeros(2, 4, 3)
    loss = RLELoss(mode='paper')
    values = [
        loss(points, points + 0.1, points, flow).item() for _ in range(4)
    ]
    assert values[0] != values[1] and max(values) - min(values) < 0.3
    state = torch.get_rng_state()
    loss.eval()
    values = [
        loss(points, points + 0.1, points, flow).item() for _ in range(2)
    ]
    assert values[0] == values[1]
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize('base', ['laplace', 'gaussian'])
def test_exact_with_an_identity_flow_is_q(base):
    """σ is the standard deviation: b = σ / √2 for Laplace."""
    sigma = torch.tensor([0.05, 0.2, 3.0])
    pred, target = torch.randn(2, 10, 3)
    q = (
        torch.distributions.Laplace(pred, sigma / 2**0.5)
        if base == 'laplace'
        else torch.distributions.Normal(pred, sigma)
    )
    torch.testing.assert_close(
        RLELoss().per_point(
            pred, sigma.expand(10, 3), target, identity_flow(3, base)
        ),
        -q.log_prob(target).sum(-1),
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize('base', ['laplace', 'gaussian'])
def test_exact_integrates_to_one(base):
    flow = rough_flow(2, base).double()
    mean = torch.tensor([0.3, -0.2], dtype=torch.float64)
    sigma = torch.tensor([0.05, 0.2], dtype=torch.float64)
    steps, reach = 251, 10
    axis = torch.linspace(-reach, reach, steps, dtype=torch.float64)
    x = mean + sigma * torch.cartesian_prod(axis, axis)
    area = (2 * reach / (steps - 1)) ** 2 * sigma.prod()
    with torch.no_grad():
        p = (-RLELoss().per_point(mean, sigma, x, flow)).exp() * area
    assert p.sum() == pytest.approx(1, abs=3e-3)
    # ... with mean μ and standard deviation σ.
    assert ((p @ (x - mean)).abs() < 0.05 * sigma).all()
    torch.testing.assert_close(
        (p @ (x - mean) ** 2).sqrt(), sigma, rtol=0.05, atol=0
    )


def test_parity_does_not_integrate_to_one():
    """Why mode 'exact' exists."""
    flow = identity_flow(2, 'gaussian').double()
    axis = torch.linspace(-6, 6, 121, dtype=torch.float64)
    x, sigma = torch.cartesian_prod(axis, axis), torch.tensor([1.0, 1.0])
    value = RLELoss(mode='parity').per_point(
        torch.zeros(2), sigma.double(), x, flow
    )
    total = (-value).exp().sum() * 0.1**2
    assert total < 0.2


def test_exact_ignores_where_and_how_wide_the_flow_is():
    """A flow cannot take over what μ and σ stand for."""
    flow = rough_flow(2, 'gaussian')
    pred, target = torch.randn(2, 20, 2)
    sigma = torch.full((20, 2), 0.3)
    before = RLELoss().per_point(pred, sigma, target, flow)

    class Moved(nn.Module):
        """The same density, stretched and shifted per dim."""

        factor, shift = torch.tensor([5.0, 0.1]), torch.tensor([-2.0, 0.3])

        def moments(self):
            mean, std = flow.moments()
            return mean * self.factor + self.shift, std * self.factor

        def log_prob(self, x):
            return (
                flow.log_prob((x - self.shift) / self.factor)
                - self.factor.log().sum()
            )

    torch.testing.assert_close(
        RLELoss().per_point(pred, sigma, target, Moved()),
        before,
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize('seed', [0, 1])
def test_exact_recovers_the_scale_of_the_noise(seed):
    """Within a fifth, for scales a factor of 8 apart."""
    torch.manual_seed(seed)
    true = torch.tensor([[0.02, 0.05, 0.16]])
    flow = RealNVP(dims=3, base='laplace', num_layers=4, hidden=32)
    mean = nn.Parameter(torch.full((1, 3), 0.1))
    log_sigma = nn.Parameter(torch.full((1, 3), math.log(0.1)))
    optimizer = torch.optim.Adam(
        [
            dict(params=[mean], lr=0.01),
            dict(params=[log_sigma], lr=0.05),
            dict(params=flow.parameters(), lr=1e-3),
        ]
    )
    steps, loss_module = 150, RLELoss()
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        target = true * torch.randn(128, 3)
        loss = loss_module(
            mean.expand(128, 3), log_sigma.exp().expand(128, 3), target, flow
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    ratio = log_sigma.exp() / true
    assert ratio.min() > 1 / 1.2 and ratio.max() < 1.2
    assert (mean.abs() < 0.1 * true).all()
    # Negative, as the density is above one: this is a good fit.
    assert loss < -3


@pytest.mark.parametrize('mode', ['exact', 'parity', 'paper'])
@pytest.mark.parametrize('sigma', [0.0, 1e-30, 1e30])
def test_absurd_sigma_stays_finite(mode, sigma):
    pred = torch.zeros(2, 4, 3, requires_grad=True)
    sigma = torch.full((2, 4, 3), sigma, requires_grad=True)
    loss = RLELoss(mode=mode)(
        pred, sigma, torch.ones(2, 4, 3), RealNVP(dims=3)
    )
    loss.backward()
    assert loss.isfinite()
    assert pred.grad.isfinite().all() and sigma.grad.isfinite().all()


@pytest.mark.parametrize('mode', ['exact', 'parity', 'paper'])
def test_far_label_has_a_bounded_loss_and_still_widens_sigma(mode):
    pred, target = torch.zeros(1, 1, 3), torch.full((1, 1, 3), 5.0)
    sigma = torch.full((1, 1, 3), 1e-3, requires_grad=True)
    loss = RLELoss(mode=mode)(
        pred, sigma, target, RealNVP(dims=3, base='laplace')
    )
    loss.backward()
    assert loss < 2000
    assert (sigma.grad < 0).all()


@pytest.mark.parametrize('mode', ['exact', 'parity', 'paper'])
@pytest.mark.parametrize('dims', [2, 3])
def test_gradients_are_right(mode, dims):
    flow = rough_flow(dims, 'gaussian').double()
    pred = torch.randn(1, 3, dims, dtype=torch.float64, requires_grad=True)
    sigma = (
        0.5 + torch.rand(1, 3, dims, dtype=torch.float64)
    ).requires_grad_()
    target = torch.randn(1, 3, dims, dtype=torch.float64)
    loss = RLELoss(mode=mode).eval()
    assert torch.autograd.gradcheck(
        lambda p, s: loss(p, s, target, flow), (pred, sigma)
    )


def test_unknown_choices_are_refused():
    with pytest.raises(ValueError, match='parity'):
        RLELoss(mode='published')
    with pytest.raises(ValueError, match='gaussian'):
        RLELoss(q_distribution='cauchy')
