"""Numbers with their intervals, for the index."""

import math
from collections.abc import Mapping
from typing import Any

from mmd2a.engine.checkpoint_files import CheckpointError

__all__ = ['mean_with_interval', 'metrics_with_intervals']

_NORMAL_95 = 1.959964


def mean_with_interval(values: list[float]) -> dict[str, float]:
    """Mean of some samples, with its 95 % interval.

    ``mean ± 1.96 s / sqrt(N)``: what it would be on other people drawn like
    these. It does not tell how another training would come out.

    Args:
        values: one per sample, at least two.

    Example:
        >>> mean_with_interval([1.0, 3.0])
        {'value': 2.0, 'low': 0.04, 'high': 3.96, 'samples': 2}
    """
    mean = math.fsum(values) / len(values)
    variance = math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1)
    half = _NORMAL_95 * math.sqrt(variance / len(values))
    return dict(
        value=round(mean, 2),
        low=round(mean - half, 2),
        high=round(mean + half, 2),
        samples=len(values),
    )


def metrics_with_intervals(
    results: Mapping[str, Any], errors: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Join the numbers of an evaluation with the errors of its samples.

    Args:
        results: what ``tools/test.py --out`` wrote, ``PROTOCOL/ERROR`` to mm;
            or ``dict(metrics={name: dict(value, low, high)}, ...)``, which
            has its intervals and is passed on.
        errors: what :class:`mmd2a.evaluation.MeshMetric` wrote of the same
            run.

    Returns:
        ``dict(metrics=...)``. Counts and numbers without errors per sample
        have a value alone.

    Raises:
        CheckpointError: results and errors are of different runs, or there is
            no number with an interval.

    Example:
        >>> metrics_with_intervals(
        ...     {'p/MPJPE': 2000.0},
        ...     dict(samples=[dict(errors_m=dict(p=dict(MPJPE=1.0))),
        ...                   dict(errors_m=dict(p=dict(MPJPE=3.0)))]),
        ... )['metrics']['p/MPJPE']
        {'value': 2000.0, 'low': 40.04, 'high': 3959.96, 'samples': 2}
    """
    if isinstance(results.get('metrics'), Mapping):
        return dict(results)
    samples = [s['errors_m'] for s in (errors or {}).get('samples', ())]
    metrics: dict[str, dict] = {}
    for name, value in results.items():
        protocol, _, error = name.partition('/')
        of_samples = [
            1000 * of_sample[protocol][error]
            for of_sample in samples
            if of_sample.get(protocol, {}).get(error) is not None
        ]
        if len(of_samples) < 2:
            metrics[name] = dict(value=value)
            continue
        metrics[name] = mean_with_interval(of_samples)
        if not math.isclose(metrics[name]['value'], value, abs_tol=0.011):
            raise CheckpointError(
                f'results and errors are of different runs: {name} is {value} '
                f'in one, {metrics[name]["value"]} in the other. Give those '
                'of one run of tools/test.py'
            )
    if not any('low' in metric for metric in metrics.values()):
        raise CheckpointError(
            'no number has an interval: give the errors of the samples, '
            'written by tools/test.py with --cfg-options '
            'test_evaluator.0.outfile_prefix=errors'
        )
    return dict(metrics=metrics)
