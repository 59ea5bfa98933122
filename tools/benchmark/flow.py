"""Time one training step of distribution matching (forward and backward).

    python tools/benchmark/flow.py --batch 48 --points 445

Prints milliseconds of the loss on all points, of the loss on the random
points that `RLEFlowHead` reads in a step, and of the whole head with its
predicted scales. Divide by the time of your own step.
"""

import argparse
import time
from collections.abc import Callable

import torch

from mmd2a.models.heads import RLEFlowHead


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Time one training step of distribution matching'
    )
    parser.add_argument('--batch', type=int, default=48)
    parser.add_argument(
        '--points', type=int, default=14 + 431, help='points per person'
    )
    parser.add_argument(
        '--points-per-step',
        type=int,
        default=64,
        help='points per person that the loss reads',
    )
    parser.add_argument('--dims', type=int, default=3, choices=(2, 3))
    parser.add_argument('--channels', type=int, default=256)
    parser.add_argument('--tokens', type=int, default=36)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--repeats', type=int, default=10)
    parser.add_argument('--device', default='cpu')
    return parser.parse_args()


def milliseconds(
    step: Callable[[], object], repeats: int, device: torch.device
) -> float:
    """Median time of a call, after two to warm up."""
    times = []
    for i in range(repeats + 2):
        start = time.perf_counter()
        step()
        if device.type != 'cpu':
            torch.accelerator.synchronize(device)
        if i >= 2:
            times.append(time.perf_counter() - start)
    return 1e3 * sorted(times)[len(times) // 2]


def main() -> None:
    args = parse_args()
    torch.set_num_threads(args.threads)
    device = torch.device(args.device)
    head = RLEFlowHead(
        args.channels,
        args.points,
        args.dims,
        points_per_step=args.points_per_step,
    ).to(device)
    shape = (args.batch, args.points, args.dims)
    z = torch.randn(args.batch, args.tokens, args.channels, device=device)
    mean = torch.randn(shape, device=device, requires_grad=True)
    sigma = torch.ones(shape, device=device, requires_grad=True)
    target = torch.randn(shape, device=device)

    def loss_of(points: int | None) -> Callable[[], None]:
        def step() -> None:
            head.points_per_step = points
            head.loss(mean, sigma, target).backward()

        return step

    def whole() -> None:
        head.points_per_step = args.points_per_step
        head.loss(mean, head(z), target).backward()

    print(
        f'batch {args.batch}, {args.points} points, D={args.dims}, '
        f'{args.threads} thread(s), {device}'
    )
    for name, step in (
        (f'loss, all {args.points} points', loss_of(None)),
        (
            f'loss, {args.points_per_step} points',
            loss_of(args.points_per_step),
        ),
        (f'head, {args.points_per_step} points', whole),
    ):
        print(f'{name:24s} {milliseconds(step, args.repeats, device):8.1f} ms')


if __name__ == '__main__':
    main()
