"""Evaluate a checkpoint on the test set of a config.

    mmd2a test configs/d2a_hmr_hrnet.py CHECKPOINT --out results.json

Uses a GPU when there is one. Several GPUs or processes: tools/dist_test.sh.
"""

import argparse
from collections.abc import Sequence

from mmengine.dist import is_main_process

from mmd2a.cli.enough_data import require_enough_data
from mmd2a.cli.launch import (
    add_run_arguments,
    build_runner,
    forget_training,
    load_config,
    require_every_parameter,
)
from mmd2a.cli.start import start_of_test
from mmd2a.cli.tool_config import require_parts
from mmd2a.files import write_json
from mmd2a.interop.mmhuman3d.settings.translation import translate_config

__all__ = ['main']


def main(
    arguments: Sequence[str] | None = None, prog: str | None = None
) -> None:
    """Evaluate; for :func:`mmd2a.cli.launch.run_tool`.

    Args:
        arguments: of the command line, without its name; those of this
            process if not given.
        prog: what the program is called in its help.

    Raises:
        UsageError: a mistake in the arguments or the config.
    """
    args = _parse(arguments, prog)
    cfg = load_config(args, translate_config)
    require_parts(cfg, 'test')
    start = start_of_test(args.checkpoint)
    runner = build_runner(cfg, args.launcher, start)
    forget_training(runner)
    require_enough_data(runner)
    require_every_parameter(runner)
    metrics = runner.test()
    if args.out is not None and is_main_process():
        write_json(args.out, metrics, indent=2)


def _parse(
    arguments: Sequence[str] | None, prog: str | None
) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog, description='Evaluate a checkpoint on the test set of a config.'
    )
    parser.add_argument('config', help='config file')
    parser.add_argument(
        'checkpoint', help='checkpoint file, or name of weights that ship'
    )
    parser.add_argument(
        '--out', metavar='FILE.json', help='write the metrics here'
    )
    add_run_arguments(parser)
    return parser.parse_args(arguments)
