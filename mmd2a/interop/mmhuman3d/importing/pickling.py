"""Pickles of MMHuman3D's objects bring the bridge along.

A worker that is spawned, not forked, unpickles its data set before anything
else, so ``mmhuman3d`` would be imported there without the bridge. Here the
recipe begins with a function of this package, whose import activates it.
"""

import copyreg
from collections.abc import Callable
from types import ModuleType
from typing import Any


def pickle_with_bridge(module: ModuleType) -> None:
    """Register how instances of every class a module defines are pickled.

    Classes that are pickled by a function registered before keep theirs.
    """
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__:
            # setdefault also tells whether a class can be a key at all.
            copyreg.dispatch_table.setdefault(value, _reduce)


def rebuild(function: Callable, *args: Any) -> Any:
    """Make an object by the recipe Python itself wrote for it.

    Example:
        >>> rebuild(complex, 1, 2)
        (1+2j)
    """
    return function(*args)


def _reduce(instance: Any) -> tuple:
    # Protocol 4 is the newest whose recipes `copy` understands as well.
    recipe = instance.__reduce_ex__(4)
    if isinstance(recipe, str):  # a name to be imported
        return recipe  # type: ignore[return-value]
    function, args, *rest = recipe
    return (rebuild, (function, *args), *rest)
