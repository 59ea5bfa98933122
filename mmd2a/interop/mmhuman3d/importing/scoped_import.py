"""What ``import`` means inside modules of MMHuman3D."""

import builtins
import functools
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from mmd2a.interop.mmhuman3d.importing import absent_libraries
from mmd2a.interop.mmhuman3d.importing.torch_without_gpu import (
    NEED_GPU,
    torch_without_gpu,
)

_HERE = __name__.rpartition('.')[0]
_VIEWS = {'mmcv': f'{_HERE}.mmcv1', 'pytorch3d': f'{_HERE}.pytorch3d'}


@functools.cache
def scoped_builtins() -> dict[str, Any]:
    """Python's built-ins, with :func:`scoped_import` for ``import``."""
    return {**vars(builtins), '__import__': scoped_import}


def scoped_import(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    """Import as Python does, but the view of mmcv 1.x for ``mmcv``.

    The same for ``pytorch3d`` and optional libraries where they are not
    installed. Arguments are those of ``builtins.__import__``.

    Example:
        >>> scoped_import('mmcv').__version__
        '1.6.1'
    """
    if level == 0:
        importer = (globals or {}).get('__name__', '')
        top = _stand_in(name.partition('.')[0], importer)
        if top is not None:
            module = _stand_in(name, importer) or import_module(name)
            if not fromlist:  # `import a.b` binds `a`
                return top
            # Modules below are imported when they are asked for by name.
            for wanted in fromlist:
                if wanted != '*' and not hasattr(module, wanted):
                    _stand_in(f'{name}.{wanted}', importer)
            return module
    return builtins.__import__(name, globals, locals, fromlist or (), level)


def _stand_in(name: str, importer: str) -> ModuleType | None:
    """The module to give for a name, None for what Python itself gives."""
    top, _, rest = name.partition('.')
    if top == 'mmcv':
        return _view(top, rest)
    if top == 'pytorch3d' and absent_libraries.is_absent(top):
        return _view(top, rest) or absent_libraries.placeholder(name)
    if top == 'numpy' and importer in absent_libraries.NEED_OLD_NUMPY:
        return None if rest else absent_libraries.numpy_with_old_names()
    if top == 'torch' and importer in NEED_GPU:
        return import_module(name) if rest else torch_without_gpu()
    return absent_libraries.stand_in(name)


def _view(top: str, rest: str) -> ModuleType | None:
    """A module of ours under its old name; None where we have none."""
    module = _VIEWS[top] + (f'.{rest}' if rest else '')
    return import_module(module) if _exists(module) else None


@functools.cache
def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a module above is not there, or no package
        return False
