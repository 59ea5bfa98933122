"""What depth can be worth to somebody who sees the joints: a bound.

    python tools/analysis/depth_bound.py
    python tools/analysis/depth_bound.py --noises 2 --levels 0 1 --seeds 0 1 2

A lifter is given the 2-D joints of a person, with noise, and says where they
are in 3-D. A second network, trained on other people than the first, may
correct it by the residual of depth: depth where the joints are, minus the
predicted z, minus the median of that over the joints. Every level of the
degradation of depth (0: exact) is compared with 'blanked': the same network
from the same weights on the same samples in the same order, all that depth
says being zero. What a model gains by depth can be read beside that.

No picture is looked at. Every run is one process of one thread; a finished
one is not done again, so the same command continues, and several may share a
work directory. It writes WORK_DIR/depth_bound.json and prints it as Markdown;
--report FILE prints a table again.
"""

import argparse
import datetime
import platform
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ablate import describe_commit
from ablation_report import CONFIDENCE, mean_and_half_width
from lifting import BATCH, BLANKED, METRICS, carry_out, train_lifter
from lifting_people import SIZE, People, read_people
from mmengine.logging import MMLogger
from tqdm import tqdm

from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import UsageError
from mmd2a.datasets.synthetic_people import Cache
from mmd2a.files import read_json, write_json


def carry_out_all(args: argparse.Namespace) -> dict[str, Any]:
    """Do what is not done yet, with a bar of steps; collect everything."""
    levels = [BLANKED, *args.levels]
    caches = {
        split: Cache(args.data_root, split, args.image_size)
        for split in ('train', 'test')
    }
    protocol = dict(
        fingerprint=caches['train'].fingerprint,
        people=args.people,
        test=args.test,
        image_size=args.image_size,
        steps=args.steps,
    )
    folder = Path(args.work_dir) / 'runs'
    runs = {
        (noise, level, seed): folder / f'noise{noise:g}_{name}_seed{seed}.json'
        for noise in args.noises
        for seed in args.seeds
        for level in levels
        for name in [level if level == BLANKED else f'level{level:g}']
    }
    missing = {
        key: file
        for key, file in runs.items()
        if not file.exists() or not _read_run(file, protocol)
    }
    if missing:
        crops = Path(args.work_dir) / 'people'
        people, test = (
            read_people(caches[split], count, args.levels, crops)
            for split, count in (('train', args.people), ('test', args.test))
        )
        _carry_out_missing(missing, people, test, protocol)
    results = []
    for (noise, level, seed), file in runs.items():
        row = dict(noise=noise, level=level, seed=seed)
        results.append(row | _read_run(file, protocol))
    return dict(
        protocol=protocol,
        commit=describe_commit(),
        date=datetime.date.today().isoformat(),
        machine=f'{platform.machine()}, one thread',
        results=results,
    )


def _carry_out_missing(
    missing: dict[tuple[float, Any, int], Path],
    people: People,
    test: People,
    protocol: dict[str, Any],
) -> None:
    """Train and test what has no file yet, and write it."""
    half, steps = protocol['people'] // 2, protocol['steps']
    # One lifter for all levels of depth.
    pairs = sorted({(noise, seed) for noise, _, seed in missing})
    total = steps * (len(pairs) + len(missing))
    with tqdm(total=total, unit='step') as bar:
        for noise, seed in pairs:
            bar.set_postfix_str(f'noise {noise:g}, seed {seed}')
            first = people.part(slice(half))
            lifter = train_lifter(first, noise, seed, steps, bar)
            for key, file in missing.items():
                if (key[0], key[2]) != (noise, seed):
                    continue
                second = people.part(slice(half, None))
                result = carry_out(*key, lifter, second, test, steps, bar)
                file.parent.mkdir(parents=True, exist_ok=True)
                write_json(str(file), dict(protocol=protocol, result=result))


def _read_run(file: Path, protocol: dict[str, Any]) -> dict[str, float]:
    """Errors of a finished run, which has to be of this protocol."""
    done = read_json(str(file))
    if done['protocol'] != protocol:
        raise UsageError(
            f'{file} is of {done["protocol"]}, not of {protocol}: take '
            'another --work-dir, or remove it'
        )
    return done['result']


def as_markdown(report: dict[str, Any]) -> str:
    """Draw the table: errors, and what depth takes off them in percent."""
    results, protocol = report['results'], report['protocol']
    seeds = sorted({row['seed'] for row in results})
    lines = [
        f'**What depth is worth to a lifter of 2-D joints** (embedded people, '
        f'h36m14, {protocol["people"]} for training, half of them for each '
        f'network, {protocol["test"]} for testing, {protocol["steps"]} steps '
        f'of {BATCH}; seeds {", ".join(map(str, seeds))}; commit '
        f'{report["commit"]}, {report["machine"]})',
        '',
        f'| noise, px of {SIZE} | depth | ' + ' | '.join(METRICS) + ' |',
        '|---|---|' + '---|' * len(METRICS),
    ]
    values: dict[tuple[Any, Any], dict[int, Any]] = {}
    for row in results:
        key = row['noise'], row['level']
        values.setdefault(key, {})[row['seed']] = row
    for (noise, level), rows in values.items():
        reference = values[noise, BLANKED]
        cells = [f'{noise:g}', _name(level)]
        for metric in METRICS:
            mean, _ = mean_and_half_width([r[metric] for r in rows.values()])
            cell = f'{mean:.1f}'
            if level != BLANKED:
                change, half = mean_and_half_width(
                    [
                        100 * (rows[s][metric] / reference[s][metric] - 1)
                        for s in rows
                    ]
                )
                cell += f' ({change:+.1f}'
                cell += ' %)' if np.isnan(half) else f' ± {half:.1f} %)'
            cells.append(cell)
        lines.append('| ' + ' | '.join(cells) + ' |')
    lines += [
        '',
        'Millimetres. In brackets: change against the same network with depth '
        f'blanked, paired by seed, and its {CONFIDENCE:.0%} interval by '
        "Student's t over seeds.",
    ]
    return '\n'.join(lines)


def _name(level: Any) -> str:
    if level == BLANKED:
        return BLANKED
    return f'level {level:g}' if level else 'exact'


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--noises', type=float, nargs='+', default=[0, 2, 5])
    parser.add_argument(
        '--levels', type=float, nargs='+', default=[2, 1, 0.5, 0]
    )
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('--people', type=int, default=6000)
    parser.add_argument('--test', type=int, default=600)
    parser.add_argument('--steps', type=int, default=8000)
    parser.add_argument('--data-root', default='data/synthetic_people')
    parser.add_argument('--image-size', type=int, default=192)
    parser.add_argument('--work-dir', default='work_dirs/depth_bound')
    parser.add_argument('--report', metavar='FILE', help='print a table again')
    args = parser.parse_args()
    if args.report:
        print(as_markdown(read_json(args.report)))
        return
    torch.set_num_threads(1)
    MMLogger.get_current_instance().setLevel('WARNING')
    report = carry_out_all(args)
    out = Path(args.work_dir) / 'depth_bound.json'
    write_json(str(out), report, indent=2)
    print(as_markdown(report))
    print(f'\nwrote {out}')


if __name__ == '__main__':
    run_tool(main)
