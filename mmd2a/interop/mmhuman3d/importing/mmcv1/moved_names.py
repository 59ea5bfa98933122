"""Names that are the same as ever, in another module."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_modules import moved_module
from mmd2a.interop.mmhuman3d.importing.mmcv1.refused_names import refused

_HERE = __name__.rpartition('.')[0]
# Names that another library than MMEngine has, or that are called otherwise.
_ELSEWHERE = {
    'BuildExtension': ('torch.utils.cpp_extension', 'BuildExtension'),
    'CUDAExtension': ('torch.utils.cpp_extension', 'CUDAExtension'),
    'CppExtension': ('torch.utils.cpp_extension', 'CppExtension'),
    'DataLoader': ('torch.utils.data', 'DataLoader'),
    'INITIALIZERS': ('mmengine.registry', 'WEIGHT_INITIALIZERS'),
    'PoolDataLoader': ('torch.utils.data', 'DataLoader'),
    'SiLU': ('torch.nn', 'SiLU'),
    'is_cuda_available': ('torch.cuda', 'is_available'),
    'worker_init_fn': ('mmengine.dataset', 'worker_init_fn'),
}


def found_in(module: str, *others: str) -> Callable[[str], Any]:
    """Make a module's ``__getattr__`` that looks through other modules.

    A name that has no successor is given as what refuses to be used.

    Args:
        module: name of the module that lacks the name.
        others: where to look, in this order; imported when needed.

    Example:
        >>> find = found_in('mmcv', 'mmengine.fileio', 'mmengine.utils')
        >>> find('is_str')('words')
        True
    """
    old_name = f'mmcv{module.removeprefix(_HERE)}'

    def __getattr__(name: str) -> Any:
        if not name.startswith('__'):
            value = refused(old_name, name) or moved_module(
                f'{old_name}.{name}'.removeprefix('mmcv.')
            )
            if value is not None:
                return value
            for other in others:
                value = _find(other, name)
                if value is not None:
                    return value
            if name in _ELSEWHERE:
                place, name = _ELSEWHERE[name]
                return getattr(import_module(place), name)
        raise AttributeError(
            f'{module!r}, the view of mmcv 1.x, has no {name!r}, nor has '
            f'{" or ".join(others)}'
        )

    return __getattr__


def _find(module: str, name: str) -> Any:
    place = import_module(module)
    value = getattr(place, name, None)
    if value is None and hasattr(place, '__path__'):
        below = f'{module}.{name}'
        value = find_spec(below) and import_module(below)
    return value
