"""Train and evaluate every row of a table, several seeds each.

    python tools/analysis/ablate.py tools/analysis/tables/distribution_depth.py
    python tools/analysis/ablate.py TABLE.py --seeds 0 1 2 --jobs 2

A table is a Python file of the config kind with

- ``title``: one line;
- ``config``: the config that every row starts from, a path from the root of
  the project;
- ``rows``: name -> options, as in ``--cfg-options``, and, where the row
  starts from another config than the others, its path as ``config``; the
  first row is the reference that the others are compared with, seed by seed;
- ``common``, if anything: options of all rows;
- ``metrics``: names of the metrics to show, as in results.json, whole or the
  part after the last slash, which means the first that ends so;
  ``seconds_per_step`` is one too. In groups, heading -> names, each is drawn
  as a table of its own, of the rows that have its metrics.

Each run is a training and an evaluation by the tools, in a folder of its own
under WORK_DIR/<table>/<row>/seed<N>, in a process of one thread; --jobs of
them side by side. A finished run is not done again and an interrupted one goes
on where it was, so the same command continues. It writes
WORK_DIR/<table>/table.json and prints the table as Markdown.
"""

import argparse
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from ablation_report import as_markdown
from mmengine.config import Config
from tqdm import tqdm

from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import (
    UsageError,
    add_option_argument,
    check_file,
    read_config,
)
from mmd2a.files import read_json, write_json

ROOT = Path(__file__).resolve().parents[2]
KEYS = {'title', 'config', 'rows', 'metrics'}
# Seconds between two looks at how far the runs are.
_LOOK = 2.0


class Run(NamedTuple):
    """One training and evaluation: where, and how many steps it has."""

    row: str
    seed: int
    folder: Path
    steps: int

    @property
    def results(self) -> Path:
        """What the evaluation writes: a run that has it is finished."""
        return self.folder / 'results.json'

    @property
    def config(self) -> Path:
        """The config of this row and seed."""
        # Beside the folder: a training writes the config it had into it.
        return self.folder.with_suffix('.py')

    def logged(self) -> list[dict[str, Any]]:
        """What the training logged, step by step."""
        lines = (
            line
            for log in sorted(self.folder.glob('*/vis_data/scalars.json'))
            for line in log.read_text().splitlines()
        )
        # The last line may be half written.
        entries = (json.loads(line) for line in lines if line.endswith('}'))
        return [e for e in entries if 'loss' in e and 'step' in e]

    def steps_done(self) -> int:
        """Steps trained so far."""
        if self.results.exists():
            return self.steps
        return max(
            (min(e['step'], self.steps) for e in self.logged()), default=0
        )

    def seconds_per_step(self) -> float:
        """Median over the log: others on the machine disturb it little."""
        return statistics.median(e['time'] for e in self.logged())


def read_table(path: str) -> Config:
    """Read and check a table."""
    check_file(path, 'table')
    table = Config.fromfile(path)
    absent = sorted(KEYS - set(table))
    if absent:
        raise UsageError(f'{path} has no {", ".join(absent)}')
    if not table.rows:
        raise UsageError(f'{path}: rows is empty')
    return table


def prepare(
    table: Config, seeds: list[int], folder: Path, options: dict[str, Any]
) -> list[Run]:
    """Write the config of every run; refuse one that differs from before."""
    runs = []
    for row in table.rows:
        cfg = config_of(table, row, options)
        for seed in seeds:
            cfg.randomness = dict(seed=seed)
            name = re.sub(r'\W+', '_', row)
            place = folder / name / f'seed{seed}'
            run = Run(row, seed, place, _steps(cfg))
            run.folder.mkdir(parents=True, exist_ok=True)
            text = cfg.pretty_text
            if run.config.exists() and run.config.read_text() != text:
                raise UsageError(
                    f'{run.folder} holds a run of other options; take another '
                    '--work-dir, or remove it'
                )
            run.config.write_text(text)
            runs.append(run)
    return runs


def config_of(
    table: Config, row: str, options: dict[str, Any] | None = None
) -> Config:
    """The config of a row, of all its seeds."""
    start, changes = _start_and_changes(table, row)
    cfg = read_config(str(ROOT / start), dict(options or {}))
    common = table.get('common')
    for part in (common.to_dict() if common else {}, changes):
        cfg.merge_from_dict(part)
    return cfg


def _start_and_changes(table: Config, row: str) -> tuple[str, dict[str, Any]]:
    """The config that a row starts from, and what it changes in it."""
    options = table.rows[row]
    changes = options.to_dict() if options else {}
    return changes.pop('config', table.config), changes


def _steps(cfg: Config) -> int:
    """Steps of a training: exact for data sets that say num_people."""
    loop, loader = cfg.train_cfg, cfg.train_dataloader
    if 'max_iters' in loop:
        return loop.max_iters
    people = loader.dataset.get('num_people', 0)
    return max(1, loop.max_epochs * (people // loader.batch_size))


def carry_out(run: Run, stopped: Event) -> None:
    """Train and evaluate in processes of one thread."""
    if run.results.exists() or stopped.is_set():
        return
    train = ('train.py', run.config, '--work-dir', run.folder, '--resume')
    _call(run, stopped, *train)
    # The file holds a path, of another place if the folder was moved.
    latest = (run.folder / 'last_checkpoint').read_text().strip()
    checkpoint = run.folder / Path(latest).name
    partial = run.folder / 'evaluated.json'
    _call(
        run,
        stopped,
        *('test.py', run.config, checkpoint, '--out', partial),
        *('--work-dir', run.folder / 'test'),
    )
    partial.replace(run.results)


def _call(run: Run, stopped: Event, tool: str, *arguments: Any) -> None:
    """Run a tool, its output into a file; end it when told to stop."""
    environment = {
        **os.environ,
        'OMP_NUM_THREADS': '1',
        'PYTHONPATH': os.pathsep.join(
            [str(ROOT), os.environ.get('PYTHONPATH', '')]
        ),
    }
    log = run.folder / 'output.log'
    with open(log, 'a') as output:
        child = subprocess.Popen(
            [sys.executable, ROOT / 'tools' / tool, *map(str, arguments)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches this process alone, which ends the others.
            start_new_session=True,
        )
        while child.poll() is None:
            if stopped.wait(0.2):
                child.terminate()
                child.wait()
    if stopped.is_set():
        raise InterruptedError
    if child.returncode != 0:
        raise UsageError(
            f'{run.row}, seed {run.seed}: {tool} ended with '
            f'{child.returncode}, see {log}'
        )


def carry_out_all(runs: list[Run], jobs: int) -> None:
    """Do what is not done yet, with a bar of steps."""
    stopped = Event()
    pool = ThreadPoolExecutor(jobs)
    waiting = [pool.submit(carry_out, run, stopped) for run in runs]
    total, done = sum(run.steps for run in runs), 0
    bar = tqdm(total=total, unit='step', smoothing=0.02)
    try:
        while not all(future.done() for future in waiting):
            done = sum(run.steps_done() for run in runs)
            if not bar.n:
                bar.initial = bar.n = done
            bar.update(done - bar.n)
            finished = sum(run.results.exists() for run in runs)
            bar.set_postfix_str(f'{finished}/{len(runs)} runs')
            for future in waiting:
                if future.done():
                    future.result()
            time.sleep(_LOOK)
        for future in waiting:
            future.result()
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)
        bar.close()


def collect(table: Config, runs: list[Run]) -> dict[str, Any]:
    """Results of all runs, and what they are results of."""
    rows: dict[str, Any] = {}
    for row in table.rows:
        start, changes = _start_and_changes(table, row)
        rows[row] = dict(config=start, options=changes, seeds={})
    protocols = set()
    for run in runs:
        results = read_json(str(run.results))
        protocols.add(next(iter(results)).rpartition('/')[0])
        rows[run.row]['seeds'][str(run.seed)] = by_name(results) | dict(
            seconds_per_step=run.seconds_per_step()
        )
    if len(protocols) > 1:
        raise UsageError(
            'rows of different protocols cannot be compared: '
            f'{", ".join(sorted(protocols))}; give all the same evaluator'
        )
    return dict(
        title=table.title,
        config=table.config,
        protocol=protocols.pop(),
        metrics=_plain(table.metrics),
        commit=describe_commit(),
        date=datetime.date.today().isoformat(),
        machine=f'{platform.machine()}, one thread a run',
        steps=runs[0].steps,
        common=table.get('common') or {},
        rows=rows,
    )


def _plain(metrics: Any) -> dict[str, list[str]] | list[str]:
    if isinstance(metrics, dict):
        return {heading: list(names) for heading, names in metrics.items()}
    return list(metrics)


def by_name(results: dict[str, Any]) -> dict[str, Any]:
    """Results by the names that a table may give them."""
    names: dict[str, Any] = {}
    for name, value in results.items():
        # Of several protocols the short names are the first one's.
        names.setdefault(name.rpartition('/')[2], value)
    return results | names


def describe_commit() -> str:
    """The commit of this checkout, or what is known instead."""
    asked = subprocess.run(
        ['git', 'describe', '--always', '--dirty'],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return asked.stdout.strip() or 'unknown'


def main() -> None:
    parser = argparse.ArgumentParser(
        description='Train and evaluate every row of a table.'
    )
    parser.add_argument('table', help='table file, see tools/analysis/tables')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument(
        '--jobs', type=int, default=os.cpu_count(), help='runs side by side'
    )
    parser.add_argument('--work-dir', default='work_dirs/tables')
    add_option_argument(parser)
    args = parser.parse_args()
    table = read_table(args.table)
    folder = Path(args.work_dir).absolute() / Path(args.table).stem
    runs = prepare(table, args.seeds, folder, args.cfg_options)
    carry_out_all(runs, max(1, args.jobs))
    report = collect(table, runs)
    out = folder / 'table.json'
    write_json(str(out), report, indent=2)
    print(as_markdown(report))
    print(f'\nwrote {out}')


if __name__ == '__main__':
    run_tool(main)
