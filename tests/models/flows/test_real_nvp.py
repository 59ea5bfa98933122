"""A flow is a distribution: invertible, normalised, differentiable."""

import importlib.util
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mmd2a.models.flows import RealNVP
from mmd2a.registry import MODELS


def rough_flow(dims: int, base: str = 'gaussian', seed: int = 0) -> RealNVP:
    """A flow far from the identity, as after training."""
    torch.manual_seed(seed)
    flow = RealNVP(dims=dims, base=base)
    for net in [*flow.s, *flow.t]:
        torch.nn.init.normal_(net[4].weight, std=0.15)
        torch.nn.init.normal_(net[4].bias, std=0.2)
    return flow


def grid(low: float, high: float, steps: int) -> tuple[Tensor, float]:
    """Points (steps^2, 2) and the area that each stands for."""
    axis = torch.linspace(low, high, steps, dtype=torch.float64)
    points = torch.cartesian_prod(axis, axis)
    return points, ((high - low) / (steps - 1)) ** 2


@pytest.mark.parametrize('dims', [2, 3])
def test_inverse_undoes_forward(dims):
    flow = rough_flow(dims)
    z = torch.randn(4, 50, dims)
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.float64, 1e-10)):
        flow, z = flow.to(dtype), z.to(dtype)
        x, log_det = flow(z)
        back, back_log_det = flow.inverse(x)
        assert (back - z).abs().max() <= tolerance
        assert (log_det + back_log_det).abs().max() <= tolerance
        assert (x - z).abs().max() > 0.1


@pytest.mark.parametrize('dims', [2, 3])
def test_log_det_is_that_of_the_jacobian(dims):
    flow = rough_flow(dims).double()
    for direction in (flow.forward, flow.inverse):
        for x in torch.randn(5, dims, dtype=torch.float64):
            jacobian = torch.autograd.functional.jacobian(
                lambda v, f=direction: f(v)[0], x
            )
            torch.testing.assert_close(
                direction(x)[1], jacobian.det().abs().log()
            )


@pytest.mark.parametrize('base', ['gaussian', 'laplace'])
def test_density_integrates_to_one_in_2d(base):
    flow = rough_flow(2, base).double()
    points, area = grid(-14, 14, 281)
    with torch.no_grad():
        total = flow.log_prob(points).exp().sum() * area
    # The rule meets the kinks of |z| and of LeakyReLU, and cuts the tails.
    assert total == pytest.approx(1, abs=3e-3)


@pytest.mark.parametrize('base', ['gaussian', 'laplace'])
def test_density_integrates_to_one_in_3d(base):
    flow = rough_flow(3, base)
    proposal = torch.distributions.Independent(
        torch.distributions.StudentT(
            3.0, torch.zeros(3), torch.full((3,), 2.0)
        ),
        1,
    )
    torch.manual_seed(0)
    x = proposal.sample((30_000,))
    with torch.no_grad():
        ratio = (flow.log_prob(x) - proposal.log_prob(x)).exp()
    error = ratio.std() / len(x) ** 0.5
    assert error < 0.03
    assert abs(ratio.mean() - 1) < 4 * error


@pytest.mark.parametrize('base', ['gaussian', 'laplace'])
def test_samples_come_from_the_density(base):
    flow = rough_flow(2, base)
    points, area = grid(-14, 14, 201)
    with torch.no_grad():
        p = flow.double().log_prob(points).exp() * area
        x = flow.float().sample((150, 200), torch.Generator().manual_seed(0))
    assert x.shape == (150, 200, 2)
    x = x.reshape(-1, 2).double()
    torch.testing.assert_close(x.mean(0), p @ points, atol=0.04, rtol=0)
    torch.testing.assert_close(
        x.square().mean(0), p @ points**2, atol=0, rtol=0.06
    )


def importance_moments(
    flow: RealNVP, num: int = 2**16
) -> tuple[Tensor, Tensor]:
    """Mean and scale by independent random points of a wider base."""
    generator = torch.Generator().manual_seed(5)
    points = torch.empty(num, flow.dims, dtype=torch.float64)
    if flow.base == 'gaussian':
        points.normal_(generator=generator)
        log_ratio = 0.5 * points.square() * (1 - 1.5**2)
    else:
        points.exponential_(generator=generator)
        points *= 1 - 2 * torch.empty_like(points).bernoulli_(
            generator=generator
        )
        log_ratio = points.abs() * (1 - 1.5)
    weight = log_ratio.sum(-1).softmax(0)
    with torch.no_grad():
        x = flow((1.5 * points).float())[0].double()
    mean = weight @ x
    return mean, (weight @ (x - mean).square()).sqrt()


def check_moments(flow: RealNVP) -> None:
    """The tolerance that `RealNVP.moments` and `RLELoss` state."""
    with torch.no_grad():
        mean, std = flow.moments()
    true_mean, true_std = importance_moments(flow)
    assert ((mean - true_mean).abs() <= 0.02 * true_std).all()
    assert ((std / true_std - 1).abs() <= 0.02).all()


@pytest.mark.parametrize('size', [0.15, 0.4])
@pytest.mark.parametrize('base', ['gaussian', 'laplace'])
@pytest.mark.parametrize('dims', [2, 3])
def test_moments_are_right_to_two_percent(dims, base, size):
    flow = rough_flow(dims, base)
    for net in [*flow.s, *flow.t]:
        torch.nn.init.normal_(net[4].weight, std=size)
        torch.nn.init.normal_(net[4].bias, std=size)
    check_moments(flow)


@pytest.mark.parametrize('dims', [2, 3])
def test_moments_are_right_after_learning_heavy_tails(dims):
    """What a flow learns where labels are off by any amount."""
    torch.manual_seed(0)
    flow = RealNVP(dims=dims, base='laplace')
    optimizer = torch.optim.Adam(flow.parameters(), 4e-3)
    for _ in range(150):
        x = torch.randn(256, dims)
        x = x / torch.randn(256, 1).abs().clamp_min(0.05)
        loss = -flow.log_prob(x).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert flow.moments()[1].max() > 4
    check_moments(flow)


@pytest.mark.parametrize('base', ['gaussian', 'laplace'])
@pytest.mark.parametrize('dims', [2, 3])
def test_moments_are_those_of_samples(dims, base):
    flow = rough_flow(dims, base)
    with torch.no_grad():
        x = flow.sample((30_000,), torch.Generator().manual_seed(0))
        mean, std = flow.moments()
    torch.testing.assert_close(mean, x.mean(0), rtol=0, atol=0.05)
    torch.testing.assert_close(std, x.std(0), rtol=0.06, atol=0)


@pytest.mark.parametrize('base, std', [('gaussian', 1.0), ('laplace', 2**0.5)])
def test_moments_of_the_identity_are_exact(base, std):
    flow = RealNVP(dims=3, base=base)
    for net in [*flow.s, *flow.t]:
        torch.nn.init.zeros_(net[4].weight)
    mean, actual = flow.moments()
    torch.testing.assert_close(mean, torch.zeros(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(actual, torch.full((3,), std))


@pytest.mark.parametrize('dims', [2, 3])
def test_gradients_are_right(dims):
    flow = rough_flow(dims).double()
    x = torch.randn(3, dims, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(flow.log_prob, x)


@pytest.mark.parametrize('dims', [2, 3])
def test_starts_near_the_identity(dims):
    torch.manual_seed(0)
    z = torch.randn(100, dims)
    x, log_det = RealNVP(dims=dims)(z)
    assert (x - z).abs().max() < 0.05
    assert log_det.abs().max() < 0.05


@pytest.mark.parametrize('num_layers', [2, 3, 6])
@pytest.mark.parametrize('dims', [2, 3])
def test_every_dim_is_moved_and_every_parameter_learns(dims, num_layers):
    flow = RealNVP(dims=dims, num_layers=num_layers, hidden=8)
    assert (flow.mask[:2].sum(0) == 1).all()
    flow.log_prob(torch.randn(64, dims)).mean().backward()
    for name, parameter in flow.named_parameters():
        assert parameter.grad is not None, name
    assert all(
        net[4].weight.grad.abs().sum() > 0 for net in [*flow.s, *flow.t]
    )


def test_any_batch_prefix_gives_the_same_numbers():
    flow = rough_flow(3)
    x = torch.randn(2, 3, 4, 3)
    torch.testing.assert_close(
        flow.log_prob(x).flatten(), flow.log_prob(x.reshape(-1, 3))
    )
    assert flow.log_prob(x[0, 0, 0]).shape == ()
    assert flow.log_prob(x[:0]).shape == (0, 3, 4)
    assert flow.sample().shape == (3,)


def test_input_is_left_alone():
    flow, x = rough_flow(2), torch.randn(5, 2)
    kept = x.clone()
    flow.log_prob(x), flow(x)
    assert torch.equal(x, kept)


def test_unknown_choices_are_refused():
    with pytest.raises(ValueError, match='dims 2 or 3'):
        RealNVP(dims=4)
    with pytest.raises(ValueError, match='laplace'):
        RealNVP(base='cauchy')


def test_builds_from_a_config():
    flow = MODELS.build(dict(type='mmd2a.RealNVP', dims=2, base='laplace'))
    assert isinstance(flow, RealNVP)


def test_published_weights_give_the_published_log_prob():
    # mmpose.models may need compiled ops that mmcv-lite lacks; this file
    # of it does not.
    spec = importlib.util.find_spec('mmpose')
    if spec is None:
        pytest.skip('needs mmpose')
    path = Path(spec.origin).parent / 'models/utils/realnvp.py'
    spec = importlib.util.spec_from_file_location('published_realnvp', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.manual_seed(0)
    published, ours = module.RealNVP(), RealNVP(dims=2)
    for parameter in published.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    ours.load_state_dict(published.state_dict())
    x = 2 * torch.randn(100, 2)
    torch.testing.assert_close(
        ours.log_prob(x), published.log_prob(x), rtol=1e-5, atol=1e-4
    )
