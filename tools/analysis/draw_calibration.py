"""Draw and tell what CalibrationMetric wrote.

    python tools/test.py CONFIG CHECKPOINT --cfg-options \
        test_evaluator="[dict(type='mmd2a.CalibrationMetric', \
        outfile_prefix='calibration')]"
    python tools/analysis/draw_calibration.py calibration.json \
        --figure calibration.png --page docs/calibration.md

The figure has three parts: the reliability curve, the histogram of the PIT
and the risk-coverage curve. In the page the table between the two comments
``numbers: begin`` and ``numbers: end`` is written anew from the json.
"""

import argparse
from pathlib import Path
from typing import Any

from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import UsageError, check_file
from mmd2a.files import read_json, read_text, write_bytes, write_text

BEGIN, END = '<!-- numbers: begin -->', '<!-- numbers: end -->'
ROWS = {
    'ECE': 'mean distance of the reliability curve from the diagonal',
    'PIT-KS': 'its largest distance',
    'NLL': 'nats per joint, metres',
    'coverage-1sigma': 'errors within one σ (normal: 0.683)',
    'coverage-2sigma': 'within two (0.954)',
    'coverage-3sigma': 'within three (0.997)',
    'temperature': 'the factor on σ that would be most likely',
    'conformal-coverage': 'joints within their conformal bound',
    'conformal-radius': 'mean radius of that bound, mm',
    'Spearman-image': 'rank correlation of expected and true error, people',
    'Spearman-joint': 'the same for each joint, mean',
    'AURC': 'area under the risk-coverage curve, mm',
    'AURC-oracle': 'its least: refusing by the true error, mm',
    'risk': 'error without refusing anybody, mm',
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Draw and tell what CalibrationMetric wrote.'
    )
    parser.add_argument('results', metavar='RESULTS.json')
    parser.add_argument('--figure', metavar='FILE.png')
    parser.add_argument('--page', metavar='PAGE.md')
    return parser.parse_args()


def read_results(path: str) -> dict[str, Any]:
    """Read the json of a CalibrationMetric."""
    check_file(path, 'no such file')
    results = read_json(path)
    if not isinstance(results, dict) or 'reliability' not in results:
        raise UsageError(
            f'{path} holds no curves of CalibrationMetric: write it with '
            'CalibrationMetric(outfile_prefix=...)'
        )
    return results


def table(results: dict[str, Any]) -> str:
    """Numbers of a json as a Markdown table."""
    metrics = results['metrics']
    rows = dict(ROWS)
    for name in metrics:
        if name.startswith('min-of-'):
            rows[name] = 'error of the best of so many draws, mm'
    lines = [
        f'{metrics["num_samples"]} people, {results["joint_set"]} in '
        f'{results["dims"]}-D, judged as {results["distribution"]}; conformal '
        f'bounds for {results["level"]:.0%}, set on the '
        f'{results["bounds_of"]}.',
        '',
        '| | | |',
        '|---|---|---|',
    ]
    for name, meaning in rows.items():
        value = metrics.get(name)
        told = 'unknown' if value is None else f'{value:.3f}'
        lines.append(f'| {name} | {told} | {meaning} |')
    return '\n'.join(lines)


def with_numbers(page: str, results: dict[str, Any]) -> str:
    """Page whose table is that of the results."""
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise UsageError(f'the page needs one {BEGIN} and one {END}')
    before, rest = page.split(BEGIN)
    return f'{before}{BEGIN}\n{table(results)}\n{END}{rest.split(END)[1]}'


def draw(results: dict[str, Any], path: str) -> None:
    """Write the figure."""
    import io

    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 3.2), layout='constrained')
    reliability, histogram, risk = figure.subplots(1, 3)
    curve = results['reliability']
    reliability.plot([0, 1], [0, 1], color='0.7', lw=1)
    reliability.plot(curve['expected'], curve['observed'], marker='.')
    reliability.set(
        xlabel='predicted probability',
        ylabel='share of errors below',
        title=f'reliability, ECE {results["metrics"]["ECE"]:.3f}',
    )
    share = results['pit_histogram']
    centres = [(i + 0.5) / len(share) for i in range(len(share))]
    histogram.bar(centres, share, width=0.9 / len(share))
    histogram.axhline(1 / len(share), color='0.5', lw=1)
    histogram.set(xlabel='PIT', ylabel='share of errors', title='PIT')
    curve = results['risk_coverage']
    risk.plot(curve['coverage'], curve['risk'], marker='.', label='by σ')
    risk.plot(curve['coverage'], curve['oracle'], color='0.6', label='oracle')
    risk.set(
        xlabel='share of people kept',
        ylabel=f'mean error, {results["unit"]}',
        title='risk and coverage',
        ylim=(0, None),
    )
    risk.legend(frameon=False)
    buffer = io.BytesIO()
    # Without a date or version: the same numbers give the same file.
    figure.savefig(buffer, dpi=110, metadata=dict(Software=None))
    write_bytes(path, buffer.getvalue())


def main() -> None:
    args = parse_args()
    if not (args.figure or args.page):
        raise UsageError('nothing to write: give --figure, --page or both')
    results = read_results(args.results)
    if args.page:
        page = with_numbers(read_text(Path(args.page)), results)
        write_text(args.page, page)
    if args.figure:
        draw(results, args.figure)


if __name__ == '__main__':
    run_tool(main)
