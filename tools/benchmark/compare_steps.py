"""Training steps of two checkouts, side by side in one run."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

WORKER = Path(__file__).with_name('step_worker.py')


class Checkout:
    """A worker process on the package in ``folder``."""

    def __init__(
        self, folder: Path, config: str, options: dict[str, Any]
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, WORKER, config, json.dumps(options)],
            cwd=folder,
            env={
                **os.environ,
                'PYTHONPATH': str(folder),
                'OMP_NUM_THREADS': '1',
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.folder = folder

    def __call__(self, *command: str) -> dict[str, float]:
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps(command) + '\n')
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ''
        if not answer:
            raise SystemExit(
                f'the training steps of {self.folder} ended at {command[0]!r};'
                f' see what {WORKER.name} says there: PYTHONPATH={self.folder}'
            )
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def compare(
    config: str, options: dict[str, Any], other: Path, steps: int
) -> list[str]:
    """Lines that tell how much faster this checkout is than another.

    Both read people of their own generator, in the data folder of their own
    checkout, and step on one batch from one set of weights; steps alternate.
    Milliseconds of the processor.
    """
    here = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        pair = [
            Checkout(folder, config, options)
            for folder in (other.resolve(), here)
        ]
        try:
            before, after = pair
            after('give', str(scratch / 'batch.pt'))
            results = []
            for index, checkout in enumerate(pair):
                checkout('take', str(scratch / 'batch.pt'))
                file = scratch / f'gradients{index}.pt'
                losses = checkout('gradients', str(file))
                results.append((losses, torch.load(file, weights_only=True)))
            lines = _differences(*results)
            rounds = [
                (before('step'), after('step')) for _ in range(steps + 2)
            ]
        finally:
            for checkout in pair:
                checkout.close()
    return lines + _ratios(rounds[2:])  # the first two warm up


def _differences(before: tuple, after: tuple) -> list[str]:
    """How far losses and gradients are from each other, relatively."""
    lines = []
    for name, value in before[0].items():
        other = after[0][name]
        error = abs(other - value) / max(abs(value), 1e-12)
        lines.append(
            f'{name:24s}{value:14.8f}{other:14.8f}  '
            + ('equal' if other == value else f'{error:.1e}')
        )
    errors = {
        name: float((after[1][name] - grad).norm() / grad.norm())
        for name, grad in before[1].items()
        if grad.norm() > 0
    }
    equal = sum(error == 0 for error in errors.values())
    both = [
        torch.cat([grads[name].flatten() for name in errors])
        for grads in (before[1], after[1])
    ]
    whole = float((both[1] - both[0]).norm() / both[0].norm())
    worst = sorted(errors, key=lambda name: -errors[name])[:3]
    lines.append(
        f'gradients: {equal} of {len(errors)} equal, all of them together '
        f'{whole:.1e}; most: '
        + ', '.join(f'{name} {errors[name]:.1e}' for name in worst)
    )
    return lines


def _ratios(rounds: list[tuple]) -> list[str]:
    """Times of both, and the median of the ratios with its quartiles."""
    parts = list(rounds[0][0])
    sums = {name: [name] for name in parts}
    sums['network, without data'] = parts[1:]
    sums['whole step'] = parts
    lines = [f'{"ms of one processor":24s}{"other":>9s}{"this":>9s}   ratio']
    for label, names in sums.items():
        times = [
            [sum(step[name] for name in names) for step in pair]
            for pair in rounds
        ]
        low, middle, high = statistics.quantiles(
            [before / after for before, after in times], n=4
        )
        before, after = map(statistics.median, zip(*times))
        lines.append(
            f'{label:24s}{before:9.1f}{after:9.1f}   {middle:.2f} '
            f'({low:.2f} to {high:.2f})'
        )
    return lines
