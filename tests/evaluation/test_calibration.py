"""Kernels against scipy and against hand-made cases."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from mmd2a.evaluation import calibration

SHAPES = dict(
    gaussian=lambda sigma: stats.norm(scale=sigma),
    laplace=lambda sigma: stats.laplace(scale=sigma / math.sqrt(2)),
)


@pytest.fixture(params=calibration.DISTRIBUTIONS)
def shape(request):
    return request.param


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_shapes_have_the_standard_deviation_they_are_given():
    for make in SHAPES.values():
        assert make(0.3).std() == pytest.approx(0.3)


def test_likelihood_and_place_are_those_of_scipy(shape, rng):
    error, sigma = rng.normal(size=200), rng.uniform(0.01, 2, 200)
    law = SHAPES[shape](sigma)
    nll = calibration.negative_log_likelihood(
        torch.from_numpy(error), torch.from_numpy(sigma), shape
    )
    np.testing.assert_allclose(nll, -law.logpdf(error), rtol=1e-12)
    u = calibration.pit(torch.from_numpy(error / sigma), shape)
    np.testing.assert_allclose(u, law.cdf(error), atol=1e-12)


def test_the_best_temperature_is_most_likely(shape, rng):
    z = torch.from_numpy(rng.standard_t(5, 5000))

    def cost(t):
        sigma = torch.full_like(z, t)
        return calibration.negative_log_likelihood(z, sigma, shape).mean()

    best = calibration.best_temperature(z, shape)
    assert cost(best) < min(cost(0.99 * best), cost(1.01 * best))


def test_errors_of_the_predicted_shape_are_calibrated(shape):
    z = SHAPES[shape](1.0).rvs(20000, random_state=1)
    u = calibration.pit(torch.from_numpy(z), shape)
    assert calibration.calibration_error(u) < 0.01
    assert calibration.uniformity_distance(u) < 0.02
    halved = calibration.pit(torch.from_numpy(2 * z), shape)
    assert calibration.calibration_error(halved) > 0.05


def test_the_reliability_curve_is_the_empirical_distribution(rng):
    u, levels = rng.random(77), np.linspace(0, 1, 21)
    np.testing.assert_allclose(
        calibration.observed_probability(
            torch.from_numpy(u), torch.from_numpy(levels)
        ),
        stats.ecdf(u).cdf.evaluate(levels),
    )


def test_distance_from_uniform_is_that_of_kolmogorov_and_smirnov(rng):
    u = rng.beta(2, 3, 137)
    assert calibration.uniformity_distance(
        torch.from_numpy(u)
    ) == pytest.approx(stats.kstest(u, 'uniform').statistic)


@pytest.mark.parametrize('num_sigmas', [1, 2, 3])
def test_coverage_of_normal_errors(num_sigmas, rng):
    z = torch.from_numpy(rng.normal(size=100000))
    expected = stats.norm.cdf(num_sigmas) - stats.norm.cdf(-num_sigmas)
    assert calibration.coverage_within(z, num_sigmas) == pytest.approx(
        expected, abs=0.005
    )


@pytest.mark.parametrize('count', [19, 200])
def test_conformal_bounds_hold_for_any_distribution(count, rng):
    """Mean coverage over many draws: at least 0.9, by 1 / (n + 1) more."""
    held = []
    for _ in range(2000):
        scores = torch.from_numpy(rng.gamma(0.3, size=count + 1))
        bound = calibration.conformal_quantile(scores[:-1], 0.9)
        held.append(bool(scores[-1] <= bound))
    assert 0.9 - 0.02 < np.mean(held) < 0.9 + 1 / (count + 1) + 0.02


def test_too_few_scores_bound_nothing():
    assert calibration.conformal_quantile(torch.ones(8), 0.9) == math.inf
    assert calibration.conformal_quantile(torch.ones(9), 0.9) == 1


@pytest.mark.parametrize('ties', [False, True])
def test_rank_correlation_is_that_of_scipy(ties, rng):
    a = rng.normal(size=300)
    b = a + rng.normal(size=300)
    if ties:
        a, b = a.round(), b.round()
    assert calibration.spearman(
        torch.from_numpy(a), torch.from_numpy(b)
    ) == pytest.approx(stats.spearmanr(a, b).statistic)


def test_rank_correlation_with_a_constant_is_unknown():
    assert math.isnan(calibration.spearman(torch.ones(5), torch.rand(5)))


def test_risk_of_the_most_certain():
    error = torch.tensor([4.0, 1.0, 3.0, 2.0])
    perfect = calibration.risk_coverage(error, error)
    assert perfect.risk.tolist() == [1, 1.5, 2, 2.5]
    assert perfect.coverage.tolist() == [0.25, 0.5, 0.75, 1]
    assert perfect.area == 1.75
    blind = calibration.risk_coverage(error, torch.zeros(4))
    assert blind.risk.tolist() == [2.5] * 4
    wrong = calibration.risk_coverage(error, -error)
    assert perfect.area < blind.area < wrong.area


def test_ties_do_not_depend_on_the_order_of_samples(rng):
    error = torch.from_numpy(rng.random(50))
    sigma = torch.from_numpy(rng.integers(0, 5, 50))
    order = torch.from_numpy(rng.permutation(50))
    torch.testing.assert_close(
        calibration.risk_coverage(error, sigma).risk,
        calibration.risk_coverage(error[order], sigma[order]).risk,
    )


def test_the_best_of_n_bodies(rng):
    samples = torch.from_numpy(rng.normal(size=(7, 14, 3)))
    target = torch.from_numpy(rng.normal(size=(14, 3)))
    weight = torch.from_numpy(rng.integers(0, 2, 14))
    weight[0] = 1
    known = weight > 0
    spoilt = target.clone()
    spoilt[~known] = math.nan
    expected = min(
        np.linalg.norm(body - target[known].numpy(), axis=1).mean()
        for body in samples[:, known].numpy()
    )
    got = calibration.min_of_n(samples, spoilt, weight)
    assert got == pytest.approx(expected)


def test_an_unknown_distribution_is_refused():
    with pytest.raises(ValueError, match="'gaussian', 'laplace', not 'beta'"):
        calibration.pit(torch.zeros(1), 'beta')
