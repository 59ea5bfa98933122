"""Modules of mmcv 1.x whose names are elsewhere by now.

A module that mmcv 2 or the view has under its old path is not listed here. A
path that begins with a dot is one of the view.
"""

import functools
from types import ModuleType

from mmd2a.interop.mmhuman3d.importing.mmcv1.refused_names import (
    is_refused_module,
)

_HERE = __name__.rpartition('.')[0]
_PLACES = {
    'cnn.bricks': ('mmcv.cnn.bricks', '.cnn'),
    'cnn.bricks.activation': ('mmcv.cnn.bricks.activation',),
    'cnn.bricks.registry': ('.cnn',),
    'cnn.builder': ('.cnn', 'mmengine.registry'),
    'cnn.utils': ('mmcv.cnn.utils', 'mmengine.model.weight_init', '.cnn'),
    'cnn.utils.sync_bn': ('mmengine.model',),
    'cnn.utils.weight_init': ('mmengine.model.weight_init', '.cnn'),
    'device': ('mmengine.device',),
    'device.utils': ('mmengine.device',),
    'engine.test': ('.engine',),
    'fileio.file_client': ('mmengine.fileio.file_client', 'mmengine.fileio'),
    'fileio.handlers': ('mmengine.fileio',),
    'fileio.handlers.base': ('mmengine.fileio',),
    'fileio.handlers.json_handler': ('mmengine.fileio.handlers.json_handler',),
    'fileio.handlers.pickle_handler': ('mmengine.fileio',),
    'fileio.handlers.yaml_handler': ('mmengine.fileio',),
    'fileio.io': ('.fileio', 'mmengine.fileio.io'),
    'fileio.parse': ('mmengine.fileio',),
    'parallel._functions': ('.parallel.scatter_gather',),
    'parallel.distributed': ('.parallel',),
    'parallel.distributed_deprecated': ('.parallel',),
    'runner.optimizer.builder': (
        '.runner.optimizer',
        'mmengine.optim.optimizer.builder',
    ),
    'runner.optimizer.default_constructor': ('.runner.optimizer',),
    'utils.config': ('mmengine.config.config',),
    'utils.device_type': ('mmcv.utils.device_type', '.utils'),
    'utils.ext_loader': ('mmcv.utils.ext_loader',),
    'utils.path': ('mmengine.utils.path',),
    'utils.progressbar': ('mmengine.utils.progressbar',),
    **{
        f'ops{name}': (f'mmcv.ops{name}',)
        for name in (
            '',
            '.corner_pool',
            '.deform_conv',
            '.info',
            '.modulated_deform_conv',
            '.point_sample',
            '.upfirdn2d',
        )
    },
    **{
        f'{package}.{name}': (f'.{package}',)
        for package, names in {
            'runner': 'base_runner builder default_constructor '
            'epoch_based_runner iter_based_runner log_buffer priority',
            'runner.hooks': 'checkpoint closure ema evaluation hook '
            'iter_timer logger logger.base logger.clearml logger.dvclive '
            'logger.mlflow logger.neptune logger.pavi logger.segmind '
            'logger.tensorboard logger.text logger.wandb lr_updater memory '
            'momentum_updater optimizer profiler sampler_seed sync_buffer',
            'utils': 'hub misc parrots_wrapper seed testing '
            'timer torch_ops trace version_utils',
        }.items()
        for name in names.split()
    },
}


@functools.cache
def moved_module(name: str) -> ModuleType | None:
    """The stand-in for a module of mmcv 1.x; None if it has none.

    Args:
        name: its path below ``mmcv``, such as ``'runner.log_buffer'``.

    Example:
        >>> moved_module('utils.config').ConfigDict.__module__
        'mmengine.config.config'
        >>> moved_module('runner.nothing') is None
        True
    """
    from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in

    if name not in _PLACES and not is_refused_module(f'mmcv.{name}'):
        return None
    full_name = f'{_HERE}.{name}'
    module = ModuleType(full_name, f'Stands for `mmcv.{name}` of mmcv 1.x.')
    places = [
        f'{_HERE}{place}' if place.startswith('.') else place
        for place in _PLACES.get(name, ())
    ]
    vars(module)['__getattr__'] = found_in(full_name, *places)
    return module
