"""Tables of ablations as Markdown, from the json of tools/analysis/ablate.py.

python tools/analysis/ablation_report.py TABLE.json
"""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from mmd2a.cli.launch import run_tool
from mmd2a.files import read_json

CONFIDENCE = 0.95
ABSENT = '–'


def mean_and_half_width(values: list[float]) -> tuple[float, float]:
    """Mean and half the width of its interval, by Student's t.

    One value has no interval: NaN.
    """
    array = np.asarray(values, float)
    if len(array) < 2:
        return float(array.mean()), math.nan
    quantile = stats.t.ppf(0.5 + CONFIDENCE / 2, len(array) - 1)
    return float(array.mean()), float(quantile * stats.sem(array))


def as_markdown(report: Mapping[str, Any]) -> str:
    """Draw a table: means over seeds, and differences to the first row.

    Differences are paired: taken seed by seed, then averaged. Metrics in
    groups, heading -> names, are drawn as one table per group, of the rows
    that have its metrics.
    """
    groups = report['metrics']
    if not isinstance(groups, Mapping):
        groups = {'': groups}
    rows = report['rows']
    names = list(rows)
    lines = [
        f'**{report["title"]}** ({report["config"]}, {report["protocol"]}, '
        f'{report["steps"]} steps, seeds '
        f'{", ".join(rows[names[0]]["seeds"])}, commit {report["commit"]}, '
        f'{report["machine"]})'
    ]
    for heading, metrics in groups.items():
        lines += ['', *([f'{heading}:', ''] if heading else [])]
        lines += _draw(rows, metrics)
    lines += [
        '',
        f'In brackets: difference to "{names[0]}", paired by seed, and its '
        f"{CONFIDENCE:.0%} interval by Student's t.",
    ]
    others = [
        f'"{name}" from {start}'
        for name, row in rows.items()
        if (start := row.get('config', report['config'])) != report['config']
    ]
    if others:
        lines += ['', f'Of configs of their own: {", ".join(others)}.']
    return '\n'.join(lines)


def _draw(rows: Mapping[str, Any], metrics: Sequence[str]) -> list[str]:
    """One table, of the rows that have any of the metrics."""
    columns = [name.rpartition('/')[2] for name in metrics]
    if len(set(columns)) < len(columns):
        columns = list(metrics)
    lines = [
        '| | ' + ' | '.join(columns) + ' |',
        '|---|' + '---|' * len(columns),
    ]
    reference = next(iter(rows.values()))['seeds']
    for name, row in rows.items():
        cells = [_cell(row['seeds'], reference, metric) for metric in metrics]
        if any(cell != ABSENT for cell in cells):
            lines.append(f'| {name} | ' + ' | '.join(cells) + ' |')
    return lines


def _cell(
    seeds: Mapping[str, Any], reference: Mapping[str, Any], metric: str
) -> str:
    """Mean over the seeds that have it, and the difference to another row."""
    values = [s[metric] for s in seeds.values() if metric in s]
    if not values:
        return ABSENT
    mean, _ = mean_and_half_width(values)
    digits = 1 if abs(mean) >= 10 else 3
    both = [
        seeds[seed][metric] - reference[seed][metric]
        for seed in seeds
        if metric in seeds[seed] and metric in reference.get(seed, {})
    ]
    if seeds is reference or not both:
        return f'{mean:.{digits}f}'
    change, half = mean_and_half_width(both)
    width = '' if math.isnan(half) else f' ± {half:.{digits}f}'
    return f'{mean:.{digits}f} ({change:+.{digits}f}{width})'


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1].startswith('-'):
        print(__doc__)
        raise SystemExit(0 if '--help' in sys.argv else 2)
    print(as_markdown(read_json(sys.argv[1])))


if __name__ == '__main__':
    run_tool(main)
