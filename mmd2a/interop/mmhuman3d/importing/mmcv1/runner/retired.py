"""The training loop of mmcv 1.x, which MMEngine's has replaced."""

from typing import Any, NoReturn


class Retired:
    """Can be imported and subclassed, but not made.

    Example:
        >>> Retired()
        Traceback (most recent call last):
        NotImplementedError: Retired belongs to the training loop of mmcv
        1.x, which is not part of mmcv 2. Train with MMEngine's Runner:
        `python tools/train.py CONFIG` takes configs of MMHuman3D as they are.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        refuse(cls.__name__)


def refuse(name: str) -> NoReturn:
    """Say what to use instead.

    Args:
        name: what was asked for.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError(
        f'{name} belongs to the training loop of mmcv 1.x, which is not part '
        "of mmcv 2. Train with MMEngine's Runner: `python tools/train.py "
        'CONFIG` takes configs of MMHuman3D as they are.'
    )
