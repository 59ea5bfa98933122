"""Names that are the same as ever, in another module."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any


def found_in(module: str, *others: str) -> Callable[[str], Any]:
    """Make a module's ``__getattr__`` that looks through other modules.

    Args:
        module: name of the module that lacks the name.
        others: where to look, in this order; imported when needed.

    Example:
        >>> find = found_in('mmcv', 'mmengine.fileio', 'mmengine.utils')
        >>> find('is_str')('words')
        True
    """

    def __getattr__(name: str) -> Any:
        if not name.startswith('__'):
            for other in others:
                place = import_module(other)
                value = getattr(place, name, None)
                if value is None and hasattr(place, '__path__'):
                    below = f'{other}.{name}'
                    value = find_spec(below) and import_module(below)
                if value is not None:
                    return value
        raise AttributeError(
            f'{module!r}, the view of mmcv 1.x, has no {name!r}, nor has '
            f'{" or ".join(others)}'
        )

    return __getattr__
