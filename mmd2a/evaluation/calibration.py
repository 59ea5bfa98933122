r"""Is a predicted scale right? Pure functions on errors and their sigmas.

N: errors of scalars, M: samples, J: joints, D: axes, P: probabilities. All
compute in float64. ``z`` is the error over its σ, the standard deviation that
was predicted for it; ``u`` = F(z), its place in the predicted distribution
(the probability integral transform, PIT), is uniform when σ and the shape of
the distribution are right. Scales above 0 and finite numbers are taken for
granted.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = [
    'DISTRIBUTIONS',
    'RiskCoverage',
    'best_temperature',
    'calibration_error',
    'conformal_quantile',
    'coverage_within',
    'min_of_n',
    'negative_log_likelihood',
    'observed_probability',
    'pit',
    'risk_coverage',
    'spearman',
    'uniformity_distance',
]

#: Shapes that errors may be judged by, each with standard deviation 1.
DISTRIBUTIONS = ('gaussian', 'laplace')


def _check(distribution: str) -> None:
    if distribution not in DISTRIBUTIONS:
        raise ValueError(
            f'distribution must be one of '
            f'{", ".join(map(repr, DISTRIBUTIONS))}, not {distribution!r}'
        )


def pit(z: Tensor, distribution: str = 'gaussian') -> Tensor:
    """Place of each error in the predicted distribution, 0 to 1.

    Args:
        z: errors over their σ, any shape.
        distribution: one of :data:`DISTRIBUTIONS`.

    Dawid, "Statistical Theory: The Prequential Approach", JRSS A 1984.

    Example:
        >>> pit(torch.tensor([-10.0, 0.0, 10.0])).tolist()
        [0.0, 0.5, 1.0]
    """
    _check(distribution)
    z = z.double()
    if distribution == 'gaussian':
        return torch.special.ndtr(z)
    tail = 0.5 * (-math.sqrt(2) * z.abs()).exp()
    return torch.where(z < 0, tail, 1 - tail)


def negative_log_likelihood(
    error: Tensor, sigma: Tensor, distribution: str = 'gaussian'
) -> Tensor:
    r"""Surprise at each error, nats.

    .. math:: \tfrac 12 z^2 + \log \sigma + \tfrac 12 \log 2 \pi
              \qquad \text{or} \qquad
              \sqrt 2\, |z| + \log \sigma + \tfrac 12 \log 2

    Args:
        error: any shape.
        sigma: standard deviations of the same shape and unit.
        distribution: one of :data:`DISTRIBUTIONS`.

    Example:
        >>> negative_log_likelihood(torch.zeros(1), torch.ones(1))
        tensor([0.9189], dtype=torch.float64)
    """
    _check(distribution)
    sigma = sigma.double()
    z = error.double() / sigma
    if distribution == 'gaussian':
        return 0.5 * z.square() + sigma.log() + 0.5 * math.log(2 * math.pi)
    return math.sqrt(2) * z.abs() + sigma.log() + 0.5 * math.log(2)


def best_temperature(z: Tensor, distribution: str = 'gaussian') -> float:
    r"""One factor on all σ that makes the errors most likely.

    .. math:: T = \sqrt{\overline{z^2}} \qquad \text{or} \qquad
              T = \sqrt 2\; \overline{|z|}

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, for
    regression.

    Example:
        >>> best_temperature(torch.tensor([-2.0, 2.0]))
        2.0
    """
    _check(distribution)
    z = z.double()
    if distribution == 'gaussian':
        return z.square().mean().sqrt().item()
    return math.sqrt(2) * z.abs().mean().item()


def observed_probability(u: Tensor, levels: Tensor) -> Tensor:
    """Share of places (N,) at or below each level (P,): a reliability curve.

    Example:
        >>> observed_probability(torch.tensor([0.2, 0.4]), torch.tensor([0.3]))
        tensor([0.5000], dtype=torch.float64)
    """
    u = u.double().sort().values
    count = torch.searchsorted(u, levels.double(), right=True)
    return count.double() / len(u)


def calibration_error(u: Tensor, num_levels: int = 99) -> float:
    r"""Mean distance of the reliability curve from the diagonal (ECE).

    .. math:: \frac 1 P \sum_{p} \bigl| \tfrac 1 N
              \#\{u \le p\} - p \bigr|, \qquad p = \tfrac 1 {P + 1}, \dots

    Args:
        u: places (N,), see :func:`pit`.
        num_levels: P.

    Kuleshov et al., "Accurate Uncertainties for Deep Learning Using
    Calibrated Regression", ICML 2018; absolute instead of squared distances.

    Example:
        >>> round(calibration_error(torch.full((9,), 0.5)), 3)
        0.253
    """
    levels = torch.arange(1, num_levels + 1).double() / (num_levels + 1)
    return (observed_probability(u, levels) - levels).abs().mean().item()


def uniformity_distance(u: Tensor) -> float:
    """Largest distance of the places (N,) from uniform (Kolmogorov-Smirnov).

    Example:
        >>> uniformity_distance(torch.tensor([0.5]))
        0.5
    """
    u = u.double().sort().values
    steps = torch.arange(len(u) + 1).double() / len(u)
    return torch.maximum(steps[1:] - u, u - steps[:-1]).max().item()


def coverage_within(z: Tensor, num_sigmas: float) -> float:
    """Share of errors within so many σ.

    Example:
        >>> coverage_within(torch.tensor([-0.5, 1.5, 3.0, 0.1]), 1)
        0.5
    """
    return (z.abs() <= num_sigmas).double().mean().item()


def conformal_quantile(scores: Tensor, level: float) -> float:
    r"""Bound that a new score stays under with probability ``level``.

    The :math:`\lceil (n + 1) p \rceil`-th smallest of n scores of exchangeable
    people; infinite where n is too small to tell.

    Args:
        scores: (n,), such as errors over their σ.
        level: p, between 0 and 1.

    Vovk et al., "Algorithmic Learning in a Random World", 2005 (split
    conformal prediction).

    Example:
        >>> conformal_quantile(torch.arange(1, 10), 0.9)
        9.0
    """
    # 0.9 * 10 is 9.000000000000002 in floating point.
    rank = math.ceil(round((len(scores) + 1) * level, 9))
    if rank > len(scores):
        return math.inf
    return scores.double().sort().values[max(rank, 1) - 1].item()


class RiskCoverage(NamedTuple):
    """What is left when the least certain samples are refused."""

    coverage: Tensor
    """(M,) share of samples kept, 1 / M to 1."""
    risk: Tensor
    """(M,) mean error of those."""
    area: float
    """Mean of the risk over all coverages."""


def risk_coverage(error: Tensor, uncertainty: Tensor) -> RiskCoverage:
    """Mean error of the most certain samples, for every number of them.

    Samples of equal uncertainty are kept or refused together: each counts
    with their mean error.

    Args:
        error: (M,).
        uncertainty: (M,), any unit; only the order matters.

    El-Yaniv and Wiener, "On the Foundations of Noise-free Selective
    Classification", JMLR 2010; area: Geifman et al., ICLR 2019.

    Example:
        >>> risk_coverage(torch.tensor([3.0, 1]), torch.tensor([2.0, 1])).area
        1.5
    """
    _, group, size = uncertainty.double().unique(
        return_inverse=True, return_counts=True
    )
    total = error.new_zeros(len(size), dtype=torch.float64)
    total.index_add_(0, group, error.double())
    ordered = (total / size).repeat_interleave(size)
    count = torch.arange(1, len(error) + 1).double()
    risk = ordered.cumsum(0) / count
    return RiskCoverage(count / len(error), risk, risk.mean().item())


def spearman(first: Tensor, second: Tensor) -> float:
    """Rank correlation of two rows of numbers (M,); equals share a rank.

    NaN where one of them does not vary.

    Example:
        >>> spearman(torch.tensor([1.0, 2, 3]), torch.tensor([1.0, 4, 9]))
        1.0
    """
    a, b = _ranks(first), _ranks(second)
    a, b = a - a.mean(), b - b.mean()
    scale = (a.square().sum() * b.square().sum()).sqrt()
    return (a @ b / scale).item() if scale > 0 else math.nan


def _ranks(values: Tensor) -> Tensor:
    """Mean rank of each value (M,), from 0."""
    _, group, size = values.double().unique(
        return_inverse=True, return_counts=True
    )
    last = size.cumsum(0)
    return (last - (size + 1) / 2)[group].double()


def min_of_n(
    samples: Tensor, target: Tensor, weight: Tensor | None = None
) -> Tensor:
    """Mean joint error of the best of several whole bodies.

    Args:
        samples: (S, J, D).
        target: (J, D).
        weight: (J,); joints of weight 0 leave no trace.

    Returns:
        The smallest mean distance, a scalar.

    Example:
        >>> bodies = torch.stack([torch.zeros(5, 3), torch.ones(5, 3)])
        >>> min_of_n(bodies, torch.zeros(5, 3)).item()
        0.0
    """
    distance = (samples.double() - target.double()).norm(dim=-1)
    if weight is None:
        return distance.mean(1).min()
    weight = weight.double()
    distance = distance.where(weight > 0, 0.0)
    return ((distance * weight).sum(1) / weight.sum()).min()
