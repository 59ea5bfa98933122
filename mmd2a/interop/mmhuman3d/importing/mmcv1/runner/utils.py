"""``mmcv.runner.utils``: small helpers of runs."""

import getpass
import socket
import time
from types import ModuleType
from typing import Any

from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in

__getattr__ = found_in(__name__, 'mmengine.runner')

__all__ = ['get_host_info', 'get_time_str', 'obj_from_dict']


def get_host_info() -> str:
    """Say who runs where, ``user@host``; without a name only ``@host``.

    Example:
        >>> '@' in get_host_info()
        True
    """
    try:
        user = getpass.getuser()
    except (ImportError, KeyError, OSError):  # a user without a name
        user = ''
    return f'{user}@{socket.gethostname()}'


def get_time_str() -> str:
    """Say the time as names of logs have it.

    Example:
        >>> len(get_time_str())
        15
    """
    return time.strftime('%Y%m%d_%H%M%S')


def obj_from_dict(
    info: dict[str, Any],
    parent: ModuleType | None = None,
    default_args: dict[str, Any] | None = None,
) -> Any:
    """Make an object of its settings.

    Args:
        info: ``type``, a class or its name in ``parent``, and arguments.
        parent: where names are looked up.
        default_args: arguments that ``info`` may override.

    Example:
        >>> obj_from_dict(dict(type=complex, real=1))
        (1+0j)
    """
    args = {**(default_args or {}), **info}
    kind = args.pop('type')
    if isinstance(kind, str):
        kind = getattr(parent, kind)
    return kind(**args)
