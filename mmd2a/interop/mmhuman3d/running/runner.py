"""MMEngine's runner, brief on the console about what a log file holds."""

import copy
import logging
import os.path as osp
from typing import Any

from mmengine.logging import MMLogger
from mmengine.runner import Runner

from mmd2a.registry import RUNNERS

# Settings, environment and hooks of a run are longer, results shorter.
_MOST_LINES = 12


@RUNNERS.register_module()
class MMHuman3DRunner(Runner):
    """Run a config of MMHuman3D.

    Such a config repeats its pipelines per data set, and is a thousand lines
    long when it is translated, before anything has happened. On the console a
    message of so many lines is its first one and the name of the log file,
    where it is whole.

    Example:
        >>> runner_type = 'mmd2a.MMHuman3DRunner'
    """

    def build_logger(
        self,
        log_level: int | str = 'INFO',
        log_file: str | None = None,
        **kwargs: Any,
    ) -> MMLogger:
        """Make the logger; arguments are those of MMEngine's runner."""
        logger = super().build_logger(log_level, log_file, **kwargs)
        files = [
            handler.baseFilename
            for handler in logger.handlers
            if isinstance(handler, logging.FileHandler)
        ]
        for handler in logger.handlers:
            if files and _is_console(handler):
                handler.setFormatter(
                    _FirstLine(handler.formatter, osp.relpath(files[0]))
                )
        return logger


def _is_console(handler: logging.Handler) -> bool:
    """Whether it writes to a console, and not to a file of any kind.

    With ``--brief FILE`` standard output is that file, which holds it all.
    """
    name = getattr(getattr(handler, 'stream', None), 'name', None)
    return not (isinstance(name, str) and osp.isfile(name))


class _FirstLine(logging.Formatter):
    """Format as another does, but of a long message only its first line."""

    def __init__(self, inner: logging.Formatter | None, file: str) -> None:
        super().__init__()
        self.inner = inner or logging.Formatter()
        self.file = file

    def format(self, record: logging.LogRecord) -> str:
        lines = record.getMessage().splitlines()
        if record.levelno <= logging.INFO and len(lines) > _MOST_LINES:
            title = next(
                (line for line in lines if any(map(str.isalnum, line))), ''
            )
            record = copy.copy(record)
            record.msg = f'{title} ({len(lines)} lines, in {self.file})'
            record.args = None
        return self.inner.format(record)
