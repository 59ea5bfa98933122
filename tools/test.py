"""Evaluate a checkpoint on the test set of a config.

    python tools/test.py configs/d2a_hmr_hrnet.py CHECKPOINT --out results.json

Uses a GPU when there is one. Several GPUs or processes: tools/dist_test.sh.
"""

if __name__ == '__main__':  # Before anything that takes seconds to import.
    from mmd2a.cli.brief import begin_brief
    from mmd2a.cli.early_stops import answer_early_stops

    answer_early_stops()
    begin_brief()

import argparse

from mmengine.dist import is_main_process

from mmd2a.cli.enough_data import require_enough_data
from mmd2a.cli.launch import (
    add_run_arguments,
    build_runner,
    forget_training,
    load_config,
    require_every_parameter,
    run_tool,
)
from mmd2a.cli.start import start_of_test
from mmd2a.cli.tool_config import require_parts
from mmd2a.files import write_json
from mmd2a.interop.mmhuman3d.settings.translation import translate_config


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Evaluate a checkpoint on the test set of a config.'
    )
    parser.add_argument('config', help='config file')
    parser.add_argument(
        'checkpoint', help='checkpoint file, or name of weights that ship'
    )
    parser.add_argument(
        '--out', metavar='FILE.json', help='write the metrics here'
    )
    add_run_arguments(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
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


if __name__ == '__main__':
    run_tool(main)
