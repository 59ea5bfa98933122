"""Names that can be imported but need PyTorch3D itself when they are used."""

from collections.abc import Callable
from typing import Any, NoReturn

_HOW = (
    'Without it, MMHuman3D under MMEngine trains, evaluates and projects, '
    'but does not render or read meshes (mmd2a.visualization draws '
    'meshes). PyTorch3D has no package for current PyTorch on PyPI; '
    'build it: `pip install --no-build-isolation '
    '"git+https://github.com/facebookresearch/pytorch3d.git@stable"` '
    '(needs a C++ compiler). It is used as soon as it is installed.'
)


def missing_class(name: str) -> Any:
    """Make a class to import, subclass and compare with, not to construct.

    Args:
        name: full name of the class in PyTorch3D.

    Returns:
        A class whose construction raises ``NotImplementedError``, also
        through a subclass.

    Example:
        >>> Meshes = missing_class('pytorch3d.structures.Meshes')
        >>> isinstance(3, Meshes)
        False
        >>> Meshes(verts=[], faces=[])
        Traceback (most recent call last):
        NotImplementedError: Meshes needs pytorch3d...
    """

    def __new__(cls: type, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(
            f'{cls.__name__} needs {name}, which is not installed. {_HOW}'
        )

    return type(
        name.rpartition('.')[2],
        (),
        {
            '__new__': __new__,
            '__doc__': f'Stands for {name}, which needs PyTorch3D.',
        },
    )


def missing_function(name: str) -> Callable[..., NoReturn]:
    """Make a function to import, not to call.

    Args:
        name: full name of the function in PyTorch3D.

    Returns:
        A function that raises ``NotImplementedError``.

    Example:
        >>> missing_function('pytorch3d.io.save_obj')('a.obj')
        Traceback (most recent call last):
        NotImplementedError: pytorch3d.io.save_obj is not installed...
    """

    def missing(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f'{name} is not installed. {_HOW}')

    missing.__name__ = name.rpartition('.')[2]
    missing.__doc__ = f'Stands for {name}, which needs PyTorch3D.'
    return missing
