"""``mmcv.utils.env``: what is installed, for bug reports."""

import mmcv
from mmengine.utils.dl_utils import collect_env as collect_mmengine_env


def collect_env() -> dict[str, str]:
    """Versions of Python, torch and so on, and of the mmcv that is there.

    Example:
        >>> 'MMCV' in collect_env()
        True
    """
    return {**collect_mmengine_env(), 'MMCV': mmcv.__version__}
