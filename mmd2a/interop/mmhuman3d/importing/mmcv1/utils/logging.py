"""``mmcv.utils.logging``: loggers by name, on Python's own."""

import logging

from mmengine.dist import get_rank
from mmengine.logging import print_log as print_to_logger

from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in

__getattr__ = found_in(__name__)

_LINE = '%(asctime)s - %(name)s - %(levelname)s - %(message)s'


def get_logger(
    name: str,
    log_file: str | None = None,
    log_level: int | str = logging.INFO,
    file_mode: str = 'w',
) -> logging.Logger:
    """Get a logger, set up to write to the console at the first call.

    Only the process of rank 0 writes what is less than an error, and writes
    to a file.

    Args:
        name: the logger's name. A logger below one that is set up
            (``'mmhuman3d.data'`` below ``'mmhuman3d'``) uses that one's.
        log_file: also write there.
        log_level: what rank 0 writes at least.
        file_mode: ``'w'`` to write the file anew, ``'a'`` to go on with it.

    Example:
        >>> get_logger('mmhuman3d').name
        'mmhuman3d'
    """
    logger = logging.getLogger(name)
    above = [
        logging.getLogger(name[:end])
        for end, letter in enumerate(name)
        if letter == '.'
    ]
    if any(each.handlers for each in (logger, *above)):
        return logger
    # Handlers of the root logger would write every line a second time.
    logger.propagate = False
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if get_rank() == 0 and log_file is not None:
        handlers.append(logging.FileHandler(log_file, file_mode))
    for handler in handlers:
        handler.setFormatter(logging.Formatter(_LINE))
        logger.addHandler(handler)
    logger.setLevel(log_level if get_rank() == 0 else logging.ERROR)
    return logger


def print_log(
    msg: object,
    logger: logging.Logger | str | None = None,
    level: int = logging.INFO,
) -> None:
    """Log a message.

    Args:
        msg: what to log.
        logger: a logger, or its name, which sets it up; None to print,
            ``'silent'`` to do nothing.
        level: the message's level.

    Example:
        >>> print_log('nothing', logger='silent')
    """
    # MMEngine's own wants a logger to exist before it is named.
    if isinstance(logger, str) and logger != 'silent':
        logger = get_logger(logger)
    print_to_logger(msg, logger, level)
