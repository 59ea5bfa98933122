"""``mmcv.utils``: registries, logging and small helpers."""

from mmengine.config import Config, ConfigDict, DictAction

from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in
from mmd2a.interop.mmhuman3d.importing.mmcv1.utils.env import (
    IS_IPU_AVAILABLE,
    collect_env,
    is_ipu_available,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.utils.logging import (
    get_logger,
    print_log,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.utils.registry import (
    Registry,
    build_from_cfg,
)

__all__ = [
    'IS_IPU_AVAILABLE',
    'Config',
    'ConfigDict',
    'DictAction',
    'Registry',
    'build_from_cfg',
    'collect_env',
    'get_logger',
    'is_ipu_available',
    'print_log',
]

__getattr__ = found_in(
    __name__,
    'mmengine.utils',
    'mmengine.utils.dl_utils',
    'mmengine.utils.dl_utils.parrots_wrapper',
    'mmcv.utils',
    'mmengine.testing',
)
