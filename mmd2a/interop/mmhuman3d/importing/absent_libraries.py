"""Stand-ins for libraries that few modules of MMHuman3D use.

MMHuman3D imports them at the top of its modules, so without them nothing of
it could be imported. A placeholder can be imported and subclassed; whoever
makes one is told what to install.
"""

import functools
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NoReturn

_INSTALL = {
    'cdflib': 'pip install cdflib',
    'colormap': 'pip install colormap easydev',
    'h5py': 'pip install h5py',
    'plyfile': 'pip install plyfile',
    'pytorch3d': (
        'pip install --no-build-isolation '
        '"git+https://github.com/facebookresearch/pytorch3d.git@stable" '
        '(needs a C++ compiler). Without it MMHuman3D trains, evaluates and '
        'projects, but does not render or read meshes'
    ),
    'skimage': 'pip install scikit-image',
    'smplx': 'pip install --no-deps smplx (mind its licence)',
    'trimesh': 'pip install trimesh rtree',
    'vedo': 'pip install vedo',
}
# Libraries that are part of Python by now.
_MOVED = {'pickle5': 'pickle'}


@functools.cache
def is_absent(library: str) -> bool:
    """Whether a library is not installed."""
    return find_spec(library) is None


def stood_in_for() -> list[str]:
    """Names of the libraries that are stood in for."""
    return sorted(filter(is_absent, [*_INSTALL, *_MOVED]))


def stand_in(name: str) -> ModuleType | None:
    """What to give for a module of an optional library, None if it is there.

    Example:
        >>> stand_in('os.path') is None
        True
    """
    top = name.partition('.')[0]
    if top not in _INSTALL and top not in _MOVED or not is_absent(top):
        return None
    return import_module(_MOVED[top]) if top in _MOVED else placeholder(name)


class _Placeholder(ModuleType):
    """A module that has every name; see :func:`placeholder`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)
        return absent(f'{self.__name__}.{name}')


@functools.cache
def placeholder(name: str) -> ModuleType:
    """Stand for a module; each of its names is a class nobody can make.

    Example:
        >>> placeholder('h5py').File('people.h5')
        Traceback (most recent call last):
        ImportError: h5py.File was used, but h5py is not installed: pip
        install h5py
    """
    return _Placeholder(name, f'Stands for {name}, which is not installed.')


def rest_of(name: str) -> Callable[[str], type]:
    """Make the ``__getattr__`` of a module that stands for part of another.

    Args:
        name: full name of that other module.

    Example:
        >>> find = rest_of('pytorch3d.renderer')
        >>> find('MeshRenderer')()
        Traceback (most recent call last):
        ImportError: pytorch3d.renderer.MeshRenderer was used, but pytorch3d
        is not installed: ...
    """
    return placeholder(name).__getattr__


@functools.cache
def absent(name: str) -> Any:
    """Stand for a class, a function or a method that is not there.

    Args:
        name: full name, the library's first.

    Returns:
        A class to import, subclass and compare with. Making or calling it
        raises ``ImportError``, also through a subclass.

    Example:
        >>> isinstance(3, absent('pytorch3d.structures.Meshes'))
        False
    """
    library = name.partition('.')[0]

    def refuse(cls: type, *args: Any, **kwargs: Any) -> NoReturn:
        user = '' if cls.__module__ == module else f' by {cls.__qualname__}'
        raise ImportError(
            f'{name} was used{user}, but {library} is not '
            f'installed: {_INSTALL[library]}',
            name=library,
        )

    module, _, short = name.rpartition('.')
    return type(short, (), {'__new__': refuse, '__module__': module})
