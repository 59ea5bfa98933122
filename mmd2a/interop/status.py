"""What stands between this package and the packages around it."""
from mmd2a.interop import mmcv_ops, torchvision_ops


def activate() -> None:
    """Make packages importable that expect compiled operators.

    Costs nothing until such a package is imported, changes nothing where the
    compiled operators exist, and may be called any number of times.

    Example:
        >>> activate()
        >>> from mmd2a.registry import MODELS
        >>> type(MODELS.build(dict(type='mmpose.ResNet', depth=18))).__name__
        'ResNet'
    """
    mmcv_ops.activate()
    torchvision_ops.activate()


def status() -> dict[str, str]:
    """Say per neighbour what is stood in for, and why.

    Example:
        >>> sorted(status())
        ['mmcv operators', 'torchvision operators']
    """
    return {
        'mmcv operators': mmcv_ops.describe(),
        'torchvision operators': torchvision_ops.describe(),
    }
