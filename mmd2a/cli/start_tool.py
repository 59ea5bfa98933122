"""From the first line of a program to `mmd2a train` or `mmd2a test`.

Imports nothing but Python's own before signals, memory and output are taken
care of: the rest takes seconds, and its libraries talk.
"""

import importlib
from collections.abc import Sequence

from mmd2a.cli.brief import begin_brief
from mmd2a.cli.early_stops import answer_early_stops
from mmd2a.cli.memory import keep_memory

__all__ = ['start_tool']


def start_tool(
    name: str, arguments: Sequence[str] | None = None, prog: str | None = None
) -> None:
    """Train or test.

    Args:
        name: ``train`` or ``test``.
        arguments: of the command line, without its name; those of this
            process if not given.
        prog: what the program is called in its help.

    Raises:
        SystemExit: with one line for a mistake, or 128 + n when stopped.
    """
    answer_early_stops()
    if name == 'train':
        keep_memory()
    begin_brief(arguments)
    from mmd2a.cli.launch import run_tool

    tool = importlib.import_module(f'mmd2a.cli.{name}')
    run_tool(lambda: tool.main(arguments, prog))
