"""Train a model from a config.

    python tools/train.py configs/d2a_hmr_hrnet.py
    python tools/train.py configs/d2a_hmr_hrnet.py --resume   # go on

Uses a GPU when there is one. Several GPUs or processes: tools/dist_train.sh.
An earlier training is not overwritten: a new one needs a new --work-dir.
"""

if __name__ == '__main__':  # Before anything that takes seconds to import.
    from mmd2a.cli.brief import begin_brief
    from mmd2a.cli.early_stops import answer_early_stops
    from mmd2a.cli.memory import keep_memory

    answer_early_stops()
    keep_memory()
    begin_brief()

import argparse

from mmd2a.cli.enough_data import require_enough_data
from mmd2a.cli.every_part_trained import require_every_part
from mmd2a.cli.launch import (
    add_run_arguments,
    build_runner,
    load_config,
    run_tool,
    scale_lr,
    use_amp,
)
from mmd2a.cli.start import start_of_training
from mmd2a.cli.tool_config import require_parts
from mmd2a.engine.stop_hook import StopHook
from mmd2a.interop.mmhuman3d.settings.translation import translate_config


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Train a model from a config.'
    )
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='PATH',
        help='continue a training from this checkpoint, or without PATH (or '
        'with "auto") from the latest in the work folder',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='mixed precision: float16 on a GPU, bfloat16 on the CPU',
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate '
        'from auto_scale_lr.base_batch_size to the total batch size',
    )
    add_run_arguments(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config(args, translate_config)
    require_parts(cfg, 'train')
    if args.amp:
        use_amp(cfg)
    if args.auto_scale_lr:
        scale_lr(cfg)
    start = start_of_training(cfg, args.resume)
    runner = build_runner(cfg, args.launcher, start)
    require_enough_data(runner)
    require_every_part(runner)
    runner.register_hook(StopHook())
    runner.train()


if __name__ == '__main__':
    run_tool(main)
