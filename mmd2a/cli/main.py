"""The command ``mmd2a``: what is done without writing a program.

    mmd2a predict photo.jpg --bbox 36 60 563 758
    mmd2a label folder --out labels
    mmd2a view meshes/photo.json
    mmd2a train configs/d2a_hmr_hrnet.py
    mmd2a test configs/d2a_hmr_hrnet.py CHECKPOINT
    mmd2a export mmd2a://d2a_hmr_mobilenet-v2 --out model.onnx
    mmd2a weights
    mmd2a doctor

Imports nothing but Python's own until the arguments are known to be right:
the rest takes seconds.
"""

import argparse
import sys
import warnings
from collections.abc import Sequence

from mmd2a.cli import export, label, predict, show_weights, view
from mmd2a.cli.early_stops import answer_early_stops
from mmd2a.cli.start_tool import start_tool
from mmd2a.version import __version__

_PARTS = (
    ('predict', predict),
    ('label', label),
    ('view', view),
    ('export', export),
    ('weights', show_weights),
)
# Their arguments are MMEngine's, which takes seconds to import.
_TOOLS = dict(
    train='Train a model from a config.',
    test='Evaluate a checkpoint on the test set of a config.',
)

__all__ = ['build_parser', 'main']


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command and its parts.

    Example:
        >>> build_parser().parse_args(['predict', 'a.jpg']).inputs
        ['a.jpg']
    """
    parser = argparse.ArgumentParser(
        prog='mmd2a', description='Recover human meshes from pictures.'
    )
    parser.add_argument(
        '--version', action='version', version=f'mmd2a {__version__}'
    )
    parts = parser.add_subparsers(metavar='COMMAND', required=True)
    for name, module in _PARTS:
        part = parts.add_parser(
            name,
            help=(module.__doc__ or '').splitlines()[0],
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(part)
        part.set_defaults(check=module.check, run=module.run)
    for name, what in _TOOLS.items():
        parts.add_parser(name, help=what, add_help=False)
    part = parts.add_parser(
        'doctor', help='Say what is installed, for a bug report.'
    )
    part.set_defaults(check=lambda args: None, run=_doctor)
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command.

    Args:
        arguments: of the command line, without its name; those of this
            process if not given.

    Raises:
        SystemExit: with one line for a mistake, or 128 + n when stopped.
    """
    answer_early_stops()
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in _TOOLS:
        name, *others = arguments
        start_tool(name, others, f'mmd2a {name}')
        return
    args = build_parser().parse_args(arguments)
    try:
        args.check(args)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    if not sys.warnoptions:
        # Libraries warn each other of what no user can change.
        warnings.simplefilter('ignore')
    from mmd2a.cli.launch import run_tool

    run_tool(lambda: args.run(args))


def _doctor(args: argparse.Namespace) -> None:
    from mmd2a.cli.brief import tell
    from mmd2a.cli.doctor import collect_env

    for key, value in collect_env().items():
        tell(f'{key}: {value}')


if __name__ == '__main__':
    main()
