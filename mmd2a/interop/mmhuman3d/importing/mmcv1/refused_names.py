"""Names of mmcv 1.x that have no successor: to import, not to use.

Packages import at the top of their modules what they use in one function, so
each of these can be imported and subclassed; whoever makes or calls one is
told what there is instead.
"""

import functools
from typing import Any, NoReturn

_LOOP = (
    'belongs to the training loop of mmcv 1.x, which is not part of mmcv 2. '
    "Train with MMEngine's Runner: `python tools/train.py CONFIG` takes "
    'configs of MMHuman3D as they are.'
)
_HALF = (
    'casts to half precision by hand, which is not part of mmcv 2: start '
    'tools/train.py with --amp'
)
_EXPORT = (
    'exported models from mmcv 1.x and is not part of mmcv 2: use '
    'torch.onnx.export or MMDeploy'
)
_DEVICES = (
    'spread a batch over devices in one process, which mmcv 2 leaves to '
    'MMEngine: start a process per device with `tools/dist_train.sh`; '
    'mmengine.device.get_device names the device'
)
_INSIDE = (
    'was a detail inside mmcv 1.x and is not part of mmcv 2: use the public '
    'class or function around it'
)
_UNSAFE_PICKLE = (
    'would run what a pickle says: read files with mmcv.load, which takes '
    'arrays, numbers, strings and plain containers'
)
_UNSAFE_WEIGHTS = (
    'would run what a checkpoint says: load weights with '
    'mmcv.runner.load_checkpoint(model, address)'
)
_STORAGE = (
    'is not part of MMEngine: read by mmengine.fileio.PetrelBackend or a '
    'backend of your own, see mmengine.fileio.register_backend'
)
_MODELS = (
    "named checkpoints by mmcv 1.x's tables: give load_checkpoint a path, "
    'a URL or an address such as torchvision://resnet50'
)
_HOME = 'is called ENV_MMENGINE_HOME in mmengine.runner.checkpoint'

# Names, whichever module had them.
_NAMES = {
    name: mend
    for mend, names in {
        _LOOP: 'LogBuffer IterLoader DefaultRunnerConstructor '
        'build_runner_constructor annealing_cos annealing_linear '
        'format_param get_position_from_periods',
        _HALF: 'LossScaler cast_tensor_type patch_forward_method '
        'patch_norm_fp32',
        _DEVICES: 'synchronize_stream get_input_device Scatter scatter '
        'scatter_kwargs',
        _EXPORT: 'get_onnxruntime_op_path '
        'is_in_onnx_export_without_custom_ops',
        _INSIDE: 'BottomPoolFunction LeftPoolFunction RightPoolFunction '
        'TopPoolFunction UpFirDn2d UpFirDn2dBackward upfirdn2d_ext '
        'upfirdn2d_native DeformConv2dPack_MLU ModulatedDeformConv2dPack_MLU '
        'FileLikeObject assert_tensor_type get_fake_func has_return_value_ops '
        'logger_initialized',
        _UNSAFE_PICKLE: 'PickleHandler file_handlers',
        _UNSAFE_WEIGHTS: 'load_url',
        _STORAGE: 'CephBackend',
        _MODELS: 'load_from_pavi load_from_ceph',
        _HOME: 'ENV_MMCV_HOME',
    }.items()
    for name in names.split()
}
# Modules none of whose names is left, with those below them.
_MODULES = {
    'mmcv.onnx': _EXPORT,
    'mmcv.tensorrt': _EXPORT,
    'mmcv.device._functions': _DEVICES,
    'mmcv.device.ipu': _DEVICES,
    'mmcv.device.mlu': _DEVICES,
    'mmcv.device.mps': _DEVICES,
    'mmcv.device.npu': _DEVICES,
    'mmcv.device.scatter_gather': _DEVICES,
}


class Refused:
    """Can be imported and subclassed, but not made.

    Example:
        >>> class Mine(Refused):
        ...     mend = 'is gone: use another'
        >>> Mine()
        Traceback (most recent call last):
        NotImplementedError: Mine is gone: use another
    """

    mend = _LOOP
    full_name = ''

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        refuse(cls.full_name or cls.__name__, cls.mend)


def refuse(name: str, mend: str = _LOOP) -> NoReturn:
    """Say what to use instead.

    Args:
        name: what was asked for.
        mend: the rest of the sentence.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError(f'{name} {mend}')


def is_refused_module(module: str) -> bool:
    """Whether nothing of a module of mmcv 1.x is left.

    Example:
        >>> is_refused_module('mmcv.device.npu.data_parallel')
        True
    """
    return _mend_of_module(module) is not None


@functools.cache
def refused(module: str, name: str) -> type[Refused] | None:
    """What to give for a name that has no successor; None for another name.

    Args:
        module: where mmcv 1.x had it, ``'mmcv.runner'``.
        name: its name there.

    Example:
        >>> refused('mmcv.runner', 'LossScaler')()
        Traceback (most recent call last):
        NotImplementedError: mmcv.runner.LossScaler casts to half precision
        by hand, which is not part of mmcv 2: start tools/train.py with --amp
    """
    mend = _NAMES.get(name) or _mend_of_module(module)
    if mend is None:
        return None
    values = dict(mend=mend, full_name=f'{module}.{name}', __module__=__name__)
    return type(name, (Refused,), values)


def _mend_of_module(module: str) -> str | None:
    for gone, mend in _MODULES.items():
        if f'{module}.'.startswith(f'{gone}.'):
            return mend
    return None
