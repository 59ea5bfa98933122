"""All that is said of the σ of many people's joints."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from mmd2a.evaluation import calibration as kernels
from mmd2a.evaluation.conformal_bounds import ConformalBounds

__all__ = ['METRIC_NAMES', 'JointErrors', 'judge']

_SIGMAS = (1, 2, 3)
_CURVE = 20

#: What :func:`judge` gives; see :class:`CalibrationMetric`.
METRIC_NAMES = (
    'NLL',
    'ECE',
    'PIT-KS',
    *(f'coverage-{k}sigma' for k in _SIGMAS),
    'temperature',
    'conformal-coverage',
    'conformal-radius',
    'Spearman-image',
    'Spearman-joint',
    'AURC',
    'AURC-oracle',
    'risk',
)


class JointErrors(NamedTuple):
    """M people, J joints, D axes; float64, error 0 where not known."""

    error: Tensor
    """(M, J, D)."""
    sigma: Tensor
    """(M, J, D), 1 where not known."""
    known: Tensor
    """(M, J) bool."""

    @property
    def distance(self) -> Tensor:
        """(M, J) how far each joint is off."""
        return self.error.norm(dim=-1)

    @property
    def spread(self) -> Tensor:
        """(M, J) how far each joint is expected to be off."""
        return self.sigma.norm(dim=-1)

    def per_person(self, values: Tensor) -> Tensor:
        """Mean over the known joints: (M, J) -> (M,)."""
        values = values.where(self.known, 0.0)
        return values.sum(1) / self.known.sum(1)

    def are_finite(self) -> bool:
        """Whether errors are numbers and σ such as can be divided by."""
        return bool(
            self.error.isfinite().all()
            and self.sigma.isfinite().all()
            and (self.sigma > 0).all()
        )


def judge(
    joints: JointErrors,
    names: Sequence[str],
    unit: float = 1000.0,
    distribution: str = 'gaussian',
    level: float = 0.9,
    bounds: ConformalBounds | None = None,
) -> tuple[dict[str, float], dict]:
    """Judge the σ of people's joints.

    Args:
        joints: errors of M people, finite.
        names: of the J joints.
        unit: factor on distances in the results.
        distribution: shape the errors are judged by.
        level: nominal share of the conformal bounds.
        bounds: set on other people; None: each half of these people gives
            those of the other.

    Returns:
        The numbers :data:`METRIC_NAMES`, and the curves, ranks and bounds
        that a json has beside them.

    Example:
        >>> draws = torch.randn(500, 14, 3).double()
        >>> people = JointErrors(draws, torch.ones_like(draws),
        ...                      torch.ones(500, 14, dtype=torch.bool))
        >>> metrics, _ = judge(people, [f'joint{j}' for j in range(14)])
        >>> 0.87 < metrics['conformal-coverage'] < 0.93
        True
    """
    error, sigma = joints.error[joints.known], joints.sigma[joints.known]
    z = (error / sigma).flatten()
    u = kernels.pit(z, distribution)
    nll = kernels.negative_log_likelihood(error, sigma, distribution)
    person = joints.per_person(joints.distance)
    expected = joints.per_person(joints.spread)
    kept = kernels.risk_coverage(person, expected)
    oracle = kernels.risk_coverage(person, person)
    ranks = {
        name: kernels.spearman(
            joints.spread[known, j], joints.distance[known, j]
        )
        for j, name in enumerate(names)
        if (known := joints.known[:, j]).any()
    }
    known_ranks = [r for r in ranks.values() if not math.isnan(r)]
    share, radius, own = _conformal(joints, level, bounds)
    metrics = {
        'NLL': nll.sum(-1).mean().item(),
        'ECE': kernels.calibration_error(u),
        'PIT-KS': kernels.uniformity_distance(u),
        **{
            f'coverage-{k}sigma': kernels.coverage_within(z, k)
            for k in _SIGMAS
        },
        'temperature': kernels.best_temperature(z, distribution),
        'conformal-coverage': share,
        'conformal-radius': unit * radius,
        'Spearman-image': kernels.spearman(expected, person),
        'Spearman-joint': math.fsum(known_ranks) / len(known_ranks)
        if known_ranks
        else math.nan,
        'AURC': unit * kept.area,
        'AURC-oracle': unit * oracle.area,
        'risk': unit * person.mean().item(),
    }
    levels = torch.arange(1, _CURVE).double() / _CURVE
    edges = (levels * len(person)).ceil().long() - 1
    edges = torch.cat([edges, torch.tensor([len(person) - 1])])
    curves = dict(
        reliability=dict(
            expected=levels.tolist(),
            observed=kernels.observed_probability(u, levels).tolist(),
        ),
        pit_histogram=(torch.histc(u, _CURVE, 0, 1) / max(len(u), 1)).tolist(),
        risk_coverage=dict(
            coverage=kept.coverage[edges].tolist(),
            risk=(unit * kept.risk[edges]).tolist(),
            oracle=(unit * oracle.risk[edges]).tolist(),
        ),
        spearman_by_joint=ranks,
        conformal_bounds=dict(zip(names, own)),
    )
    return metrics, curves


def _conformal(
    joints: JointErrors, level: float, bounds: ConformalBounds | None
) -> tuple[float, float, list[float]]:
    """Share of joints within, mean radius, and bounds of these people."""
    score = (joints.error / joints.sigma).norm(dim=-1)

    def bounds_of(people: slice) -> list[float]:
        return [
            kernels.conformal_quantile(
                score[people, j][joints.known[people, j]], level
            )
            for j in range(score.shape[1])
        ]

    bound = torch.empty_like(score)
    if bounds is not None:
        bound[:] = torch.tensor(bounds.by_joint).double()
    else:
        for half in (0, 1):
            bound[half::2] = torch.tensor(
                bounds_of(slice(1 - half, None, 2))
            ).double()
    size = bound * joints.sigma.log().mean(-1).exp()
    known = joints.known
    return (
        (score <= bound)[known].double().mean().item(),
        size[known].mean().item(),
        bounds_of(slice(None)),
    )
