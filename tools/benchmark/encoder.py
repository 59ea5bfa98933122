"""Time what depth costs the encoder: forward and backward, in ms and ratios.

Example:
    python tools/benchmark/encoder.py --embed-dims 128 --depth 2 \
        --num-heads 4 --mlp-ratio 2 --grid 3 3 --image-size 96
"""

import argparse

import torch
from torch import Tensor, nn
from torch.utils.benchmark import Timer

from mmd2a.models.encoders import DepthBranch, DepthCrossAttentionEncoder
from mmd2a.structures import TokenMap


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Time the encoder with and without depth.'
    )
    parser.add_argument('--batch-size', type=int, default=16)
    parser.add_argument(
        '--grid',
        type=int,
        nargs=2,
        default=(7, 7),
        metavar=('H', 'W'),
        help='token grid',
    )
    parser.add_argument('--embed-dims', type=int, default=512)
    parser.add_argument('--depth', type=int, default=4, help='blocks')
    parser.add_argument('--num-heads', type=int, default=8)
    parser.add_argument('--mlp-ratio', type=float, default=4)
    parser.add_argument(
        '--image-size',
        type=int,
        default=224,
        help='side of the depth map of the depth branch',
    )
    parser.add_argument('--device', help='default: an accelerator if any')
    parser.add_argument(
        '--threads',
        type=int,
        default=torch.get_num_threads(),
        help='CPU threads',
    )
    parser.add_argument(
        '--seconds',
        type=float,
        default=2,
        help='shortest time spent on each row',
    )
    return parser.parse_args()


def default_device() -> str:
    if torch.accelerator.is_available():
        return str(torch.accelerator.current_accelerator())
    return 'cpu'


def milliseconds(
    module: nn.Module, inputs: tuple, args: argparse.Namespace
) -> float:
    """Return the median time of a training step without the optimiser."""

    def step() -> Tensor:
        module.zero_grad()
        out = module(*inputs)
        out = out.tokens if isinstance(out, TokenMap) else out
        out.sum().backward()
        return out

    timer = Timer('step()', globals=dict(step=step), num_threads=args.threads)
    return 1e3 * timer.blocked_autorange(min_run_time=args.seconds).median


def main() -> None:
    args = parse_args()
    device = torch.device(args.device or default_device())
    grid = tuple(args.grid)
    size = dict(
        embed_dims=args.embed_dims,
        depth=args.depth,
        num_heads=args.num_heads,
        mlp_ratio=args.mlp_ratio,
        grid_size=grid,
    )
    tokens = torch.randn(
        args.batch_size, grid[0] * grid[1], args.embed_dims, device=device
    )
    image = TokenMap(tokens, grid)
    depth = TokenMap(tokens, grid, torch.ones(args.batch_size, device=device))
    depth_map = torch.randn(
        args.batch_size, 2, args.image_size, args.image_size, device=device
    )

    def encoder(**options) -> nn.Module:
        return DepthCrossAttentionEncoder(**size, **options).to(device)

    rows = [
        ('encoder, RGB only', encoder(with_depth=False), (image,)),
        ('encoder, depth', encoder(), (image, depth)),
        (
            'encoder, depth, attention written out',
            encoder(fused_attention=False),
            (image, depth),
        ),
        ('depth branch', DepthBranch().to(device), (depth_map,)),
    ]
    print(
        f'{args.batch_size} samples, {grid[0]} x {grid[1]} tokens of '
        f'{args.embed_dims}, {args.depth} blocks, {device}, '
        f'{args.threads} threads; forward + backward'
    )
    print(f'{"":40}{"ms":>9}{"ratio":>8}{"parameters":>13}')
    base = None
    for name, module, inputs in rows:
        time = milliseconds(module, inputs, args)
        base = base or time
        count = sum(p.numel() for p in module.parameters())
        print(f'{name:40}{time:9.2f}{time / base:8.2f}{count:13,}')


if __name__ == '__main__':
    main()
