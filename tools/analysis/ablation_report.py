"""Tables of ablations as Markdown, from the json of tools/analysis/ablate.py.

python tools/analysis/ablation_report.py TABLE.json
"""

import math
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats

from mmd2a.cli.launch import run_tool
from mmd2a.files import read_json

CONFIDENCE = 0.95


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

    Differences are paired: taken seed by seed, then averaged.
    """
    metrics, rows = report['metrics'], report['rows']
    names = list(rows)
    reference = rows[names[0]]['seeds']
    lines = [
        f'**{report["title"]}** ({report["config"]}, {report["protocol"]}, '
        f'{report["steps"]} steps, seeds '
        f'{", ".join(reference)}, commit {report["commit"]}, '
        f'{report["machine"]})',
        '',
        '| | ' + ' | '.join(metrics) + ' |',
        '|---|' + '---|' * len(metrics),
    ]
    for name in names:
        seeds = rows[name]['seeds']
        cells = []
        for metric in metrics:
            mean, _ = mean_and_half_width([s[metric] for s in seeds.values()])
            cell = f'{mean:.1f}'
            if name != names[0]:
                cell += ' (' + _difference(seeds, reference, metric) + ')'
            cells.append(cell)
        lines.append(f'| {name} | ' + ' | '.join(cells) + ' |')
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


def _difference(
    seeds: Mapping[str, Any], reference: Mapping[str, Any], metric: str
) -> str:
    both = [seed for seed in seeds if seed in reference]
    mean, half = mean_and_half_width(
        [seeds[s][metric] - reference[s][metric] for s in both]
    )
    return f'{mean:+.1f}' + ('' if math.isnan(half) else f' ± {half:.1f}')


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1].startswith('-'):
        print(__doc__)
        raise SystemExit(0 if '--help' in sys.argv else 2)
    print(as_markdown(read_json(sys.argv[1])))


if __name__ == '__main__':
    run_tool(main)
