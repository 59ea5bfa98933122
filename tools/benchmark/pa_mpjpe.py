"""Time PA-MPJPE against a loop of NumPy SVDs, in one run.

    OMP_NUM_THREADS=1 python tools/benchmark/pa_mpjpe.py

Prints the median over rounds of each and of their ratio, every round with
people of its own seed, and the largest difference between the two.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from mmd2a.evaluation import pa_mpjpe

# A person's joints spread about so far in width, height and depth, metres.
_SPREAD = np.array([0.2, 0.5, 0.15])


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Time PA-MPJPE against a loop of NumPy SVDs.',
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        '--people', type=int, nargs='+', default=[64, 1000, 10000]
    )
    parser.add_argument('--joints', type=int, default=14)
    parser.add_argument('--rounds', type=int, default=7)
    return parser.parse_args()


def loop_of_svds(pred: NDArray, target: NDArray) -> NDArray:
    """PA-MPJPE (B,) of joints (B, J, 3), one sample after the other."""
    errors = np.empty(len(pred))
    for i, (x, y) in enumerate(zip(pred, target)):
        x_mean, y_mean = x.mean(0), y.mean(0)
        x, y = x - x_mean, y - y_mean
        u, s, vh = np.linalg.svd(y.T @ x)
        flip = np.array([1, 1, np.sign(np.linalg.det(u @ vh))])
        scale = (s * flip).sum() / (x**2).sum()
        aligned = scale * x @ (u * flip @ vh).T
        errors[i] = np.linalg.norm(aligned - y, axis=1).mean()
    return errors


def seconds(job: Callable[[], object]) -> float:
    """Wall time of a call, from as many as fit into 0.1 s, after one."""
    job()
    start, calls = time.perf_counter(), 0
    while time.perf_counter() < start + 0.1:
        job()
        calls += 1
    return (time.perf_counter() - start) / calls


def main() -> None:
    args = parse_args()
    torch.set_num_threads(1)
    print(
        f'{args.joints} joints, medians of {args.rounds} rounds (seeds 0 to '
        f'{args.rounds - 1}), us per person'
    )
    print('people    mmd2a  NumPy loop  ratio (least to most)  difference, mm')
    for people in args.people:
        rows, difference = [], 0.0
        for seed in range(args.rounds):
            rng = np.random.default_rng(seed)
            target = rng.normal(size=(people, args.joints, 3)) * _SPREAD
            pred = target + rng.normal(0, 0.05, target.shape)
            tensors = torch.from_numpy(pred), torch.from_numpy(target)
            rows.append(
                (
                    seconds(lambda t=tensors: pa_mpjpe(*t)),
                    seconds(lambda p=pred, t=target: loop_of_svds(p, t)),
                )
            )
            errors = pa_mpjpe(*tensors).numpy() - loop_of_svds(pred, target)
            difference = max(difference, 1e3 * np.abs(errors).max())
        ours, theirs = (statistics.median(column) for column in zip(*rows))
        ratios = sorted(b / a for a, b in rows)
        print(
            f'{people:6d} {1e6 * ours / people:8.2f} '
            f'{1e6 * theirs / people:11.2f} '
            f'{statistics.median(ratios):6.1f} ({ratios[0]:.1f} to '
            f'{ratios[-1]:.1f}) {difference:18.1e}'
        )


if __name__ == '__main__':
    main()
