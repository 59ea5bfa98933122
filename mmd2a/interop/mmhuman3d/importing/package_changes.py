"""Find out whether the bridge left anything in other packages."""

import sys
from types import ModuleType
from typing import Any

# What the bridge stands in for, or builds on.
_WATCHED = ('mmcv', 'mmengine', 'numpy', 'pytorch3d', 'pickle5')
Snapshot = dict[str, dict[str, Any]]


def snapshot() -> Snapshot:
    """What every watched module that is imported has, by name.

    Example:
        >>> 'mmengine' in snapshot()
        True
    """
    return {
        name: {
            key: value
            for key, value in vars(module).items()
            if not key.startswith('__')
        }
        for name, module in sorted(sys.modules.items())
        if name.partition('.')[0] in _WATCHED and module is not None
    }


def changes(before: Snapshot) -> list[str]:
    """Say what is new or other in these modules.

    A module that was imported since is no change if it is a file of its
    package; a stand-in under its name would be one.

    Args:
        before: result of :func:`snapshot`.

    Example:
        >>> changes(snapshot())
        []
    """
    found = []
    for name, now in snapshot().items():
        if name not in before:
            if not _is_installed(name):
                found.append(f'{name} appeared')
            continue
        then = before[name]
        found += [
            f'{name}.{key} appeared'
            for key in now.keys() - then.keys()
            if not _is_submodule(now[key], f'{name}.{key}')
        ]
        found += [
            f'{name}.{key} disappeared' for key in then.keys() - now.keys()
        ]
        found += [
            f'{name}.{key} is another'
            for key in now.keys() & then.keys()
            if now[key] is not then[key]
        ]
    return sorted(found)


def _is_installed(name: str) -> bool:
    """Whether a module is of a file or folder in that of its package."""
    if name == 'mmcv._ext':  # stood in for elsewhere, see `status()`
        return True
    package = sys.modules.get(name.partition('.')[0])
    folders = tuple(getattr(package, '__path__', ()))
    module = sys.modules[name]
    places = [
        getattr(module, '__file__', None),
        *getattr(module, '__path__', ()),
    ]
    return bool(folders) and any(
        place is not None and place.startswith(folders) for place in places
    )


def _is_submodule(value: Any, name: str) -> bool:
    return isinstance(value, ModuleType) and sys.modules.get(name) is value
