"""What ``import`` means inside modules of MMHuman3D."""

import builtins
import functools
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from mmd2a.interop.mmhuman3d.importing import absent_libraries
from mmd2a.interop.mmhuman3d.importing.finder import SMPLX_VIEW
from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_modules import moved_module
from mmd2a.interop.mmhuman3d.importing.restricted_readers import (
    NEED_OLD_NUMPY,
    numpy_with_old_names,
    restricted_view,
)
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
    installed, and for libraries that run what a file says, which read arrays
    only here. Arguments are those of ``builtins.__import__``.

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
        return _view(top, rest) or moved_module(rest)
    if top == 'pytorch3d' and absent_libraries.is_absent(top):
        return _view(top, rest) or absent_libraries.placeholder(name)
    if top == 'smplx' and not absent_libraries.is_absent(top):
        return _restricted_smplx(rest)
    if not rest:
        if top == 'numpy' and importer in NEED_OLD_NUMPY:
            return numpy_with_old_names()
        if top == 'torch' and importer in NEED_GPU:
            return torch_without_gpu() or restricted_view(top)
        view = restricted_view('pickle' if top == 'pickle5' else top)
        if view is not None:
            return view
    return absent_libraries.stand_in(name)


def _view(top: str, rest: str) -> ModuleType | None:
    """A module of ours under its old name; None where we have none."""
    module = _VIEWS[top] + (f'.{rest}' if rest else '')
    return import_module(module) if _exists(module) else None


def _restricted_smplx(rest: str) -> ModuleType:
    """smplx loaded a second time, with imports as they are here."""
    return import_module(SMPLX_VIEW + (f'.{rest}' if rest else ''))


@functools.cache
def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a module above is not there, or no package
        return False
