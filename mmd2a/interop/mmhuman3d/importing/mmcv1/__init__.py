"""What ``import mmcv`` gives MMHuman3D: mmcv 1.x's names for mmcv 2's parts.

mmcv 1.x was split: what trains, loads and registers became MMEngine, what
reads and draws images stayed. Names here are found where they are now; what
has no successor of the same meaning is written out in the modules below. A
name or module that is not here is mmcv 2's own.
"""

from mmengine.config import Config, ConfigDict, DictAction
from mmengine.testing import assert_params_all_zeros

from mmd2a.interop.mmhuman3d.importing.mmcv1 import (
    cnn,
    engine,
    fileio,
    parallel,
    runner,
    utils,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.fileio import load
from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in
from mmd2a.interop.mmhuman3d.importing.mmcv1.parallel import DataContainer

# The newest mmcv that every version of MMHuman3D accepts.
__version__ = '1.6.1'

__all__ = [
    'Config',
    'ConfigDict',
    'DataContainer',
    'DictAction',
    'assert_params_all_zeros',
    'cnn',
    'engine',
    'fileio',
    'load',
    'parallel',
    'runner',
    'utils',
]

__getattr__ = found_in(
    __name__, 'mmengine.fileio', 'mmengine.utils', 'mmcv', f'{__name__}.utils'
)
