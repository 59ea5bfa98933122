"""Train a model from a config.

    mmd2a train configs/d2a_hmr_hrnet.py
    mmd2a train configs/d2a_hmr_hrnet.py --resume   # go on

Uses a GPU when there is one. Several GPUs or processes: tools/dist_train.sh.
An earlier training is not overwritten: a new one needs a new --work-dir.
"""

import argparse
from collections.abc import Sequence

from mmd2a.cli.enough_data import require_enough_data
from mmd2a.cli.every_part_trained import require_every_part
from mmd2a.cli.launch import (
    add_run_arguments,
    build_runner,
    load_config,
    scale_lr,
    use_amp,
)
from mmd2a.cli.start import start_of_training
from mmd2a.cli.tool_config import require_parts
from mmd2a.engine.stop_hook import StopHook
from mmd2a.interop.mmhuman3d.settings.translation import translate_config

__all__ = ['main']


def main(
    arguments: Sequence[str] | None = None, prog: str | None = None
) -> None:
    """Train; for :func:`mmd2a.cli.launch.run_tool`.

    Args:
        arguments: of the command line, without its name; those of this
            process if not given.
        prog: what the program is called in its help.

    Raises:
        UsageError: a mistake in the arguments or the config.
    """
    args = _parse(arguments, prog)
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


def _parse(
    arguments: Sequence[str] | None, prog: str | None
) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog, description='Train a model from a config.'
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
    return parser.parse_args(arguments)
