"""What stands between this package and the packages around it."""

from mmd2a.interop import (
    config_names,
    mmcv_ops,
    mmhuman3d,
    torchvision_ops,
    weight_names,
)


def activate() -> None:
    """Make packages importable that expect compiled operators or mmcv 1.x.

    Costs nothing until such a package is imported, changes nothing where what
    it expects is there, and may be called any number of times.

    Example:
        >>> activate()
        >>> from mmd2a.registry import MODELS
        >>> type(MODELS.build(dict(type='mmpose.ResNet', depth=18))).__name__
        'ResNet'
    """
    config_names.activate()
    mmcv_ops.activate()
    torchvision_ops.activate()
    mmhuman3d.activate()
    weight_names.activate()


def status() -> dict[str, str]:
    """Say per neighbour what is stood in for, and why.

    Example:
        >>> sorted(status())
        ['config names', 'mmcv operators', 'mmhuman3d',
         'torchvision operators', 'weight names']
    """
    return {
        'config names': config_names.describe(),
        'mmcv operators': mmcv_ops.describe(),
        'mmhuman3d': mmhuman3d.describe(),
        'torchvision operators': torchvision_ops.describe(),
        'weight names': weight_names.describe(),
    }
