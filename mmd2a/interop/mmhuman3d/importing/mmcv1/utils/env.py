"""``mmcv.utils.env``: what is installed, for bug reports."""

import mmcv
from mmengine.utils.dl_utils import collect_env as collect_mmengine_env

# Graphcore's processors; support for them ended with mmcv 1.x.
IS_IPU_AVAILABLE = False


def is_ipu_available() -> bool:
    """Whether there is such a processor that could be used: there is not.

    Example:
        >>> is_ipu_available()
        False
    """
    return IS_IPU_AVAILABLE


def collect_env() -> dict[str, str]:
    """Versions of Python, torch and so on, and of the mmcv that is there.

    Example:
        >>> 'MMCV' in collect_env()
        True
    """
    return {**collect_mmengine_env(), 'MMCV': mmcv.__version__}
