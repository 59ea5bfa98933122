"""Where the time of a training step goes, part by part.

    python tools/benchmark/training_step.py configs/d2a_hmr_hrnet.py

One process, one thread, in processor time, so that a busy machine disturbs
little. Reads the config's own data through its own pipeline. Beside another
commit, in alternating steps, and whether losses and gradients are equal:

    git worktree add --detach ../before 41cc7f5
    python tools/benchmark/training_step.py configs/d2a_hmr_hrnet.py \\
        --against ../before
"""

import argparse
import time
from collections import defaultdict
from pathlib import Path

import torch
from compare_steps import compare
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import (
    add_option_argument,
    check_packages,
    read_config,
    require_parts,
)
from mmd2a.registry import DATASETS, MODELS


def measure(cfg: Config, steps: int) -> dict[str, float]:
    """Milliseconds per step of each part, the mean over ``steps``."""
    clock = time.process_time
    spent: dict[str, float] = defaultdict(float)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    batch_size = cfg.train_dataloader.batch_size
    model = MODELS.build(cfg.model).train()
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)

    started: dict[str, float] = {}
    parts = {
        name: part
        for name, part in model.named_children()
        if not name.startswith('loss_') and name != 'data_preprocessor'
    }
    for name, part in parts.items():
        part.register_forward_pre_hook(
            lambda *_, name=name: started.update({name: clock()})
        )

        def finish(*_, name=name):
            spent[f'forward: {name}'] += clock() - started[name]

        part.register_forward_hook(finish)

    for step in range(steps + 1):
        if step == 1:  # the first warms up
            spent.clear()
        begin = clock()
        batch = pseudo_collate(
            [
                dataset[(step * batch_size + i) % len(dataset)]
                for i in range(batch_size)
            ]
        )
        spent['data: pipeline'] += clock() - begin
        begin = clock()
        batch = model.data_preprocessor(batch, training=True)
        spent['data: preprocessor'] += clock() - begin
        begin = clock()
        losses = model(**batch, mode='loss')
        total, _ = model.parse_losses(losses)
        spent['forward: all'] += clock() - begin
        begin = clock()
        total.backward()
        spent['backward'] += clock() - begin
        begin = clock()
        optim_wrapper.step()
        optim_wrapper.zero_grad()
        spent['optimiser'] += clock() - begin
    return {name: 1e3 * seconds / steps for name, seconds in spent.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config')
    parser.add_argument('--steps', type=int, default=10)
    parser.add_argument(
        '--against',
        type=Path,
        help='checkout of another commit to compare with',
    )
    add_option_argument(parser)
    args = parser.parse_args()
    if args.against is not None:
        for line in compare(
            args.config, args.cfg_options, args.against, args.steps
        ):
            print(line)
        return
    torch.set_num_threads(1)
    cfg = read_config(args.config, args.cfg_options)
    require_parts(cfg, 'train')
    check_packages(cfg)
    init_default_scope(cfg.get('default_scope', 'mmd2a'))
    spent = measure(cfg, args.steps)
    whole = sum(
        ms
        for name, ms in spent.items()
        if name
        in (
            'data: pipeline',
            'data: preprocessor',
            'forward: all',
            'backward',
            'optimiser',
        )
    )
    for name, ms in spent.items():
        print(f'{name:32s}{ms:9.1f} ms{100 * ms / whole:7.1f} %')
    images = 1e3 * cfg.train_dataloader.batch_size / whole
    print(f'{"whole step":32s}{whole:9.1f} ms, {images:.0f} images/s/core')


if __name__ == '__main__':
    run_tool(main)
