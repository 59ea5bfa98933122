"""The training loop of mmcv 1.x, which MMEngine's has replaced."""

from mmd2a.interop.mmhuman3d.importing.mmcv1.refused_names import (
    Refused,
    refuse,
)

__all__ = ['Retired', 'refuse']


class Retired(Refused):
    """Can be imported and subclassed, but not made.

    Example:
        >>> Retired()
        Traceback (most recent call last):
        NotImplementedError: Retired belongs to the training loop of mmcv
        1.x, which is not part of mmcv 2. Train with MMEngine's Runner:
        `python tools/train.py CONFIG` takes configs of MMHuman3D as they are.
    """
