"""``mmcv.parallel.scatter_gather``: a batch goes to its device."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmd2a.interop.mmhuman3d.importing.mmcv1.parallel.data_container import (
    DataContainer,
)

Device = int | torch.device
ScatterInputs = Tensor | DataContainer | tuple | list | dict


def scatter(inputs: Any, target_gpus: Sequence[Device], dim: int = 0) -> list:
    """Unpack containers and move tensors to a device.

    Args:
        inputs: a batch made by ``collate``.
        target_gpus: one device; -1 leaves tensors where they are.
        dim: of no meaning for one device.

    Returns:
        The batch, in a list of one.

    Raises:
        NotImplementedError: for several devices, which one process each
            serves today.

    Example:
        >>> scatter(dict(names=DataContainer([['Ada']])), [-1])
        [{'names': ['Ada']}]
    """
    if len(target_gpus) != 1:
        raise NotImplementedError(
            f'one process uses one device, not {list(target_gpus)}: start a '
            'process per device with `tools/dist_train.sh` or '
            '`tools/dist_test.sh`'
        )
    return [_unpack(inputs, target_gpus[0])]


def scatter_kwargs(
    inputs: tuple, kwargs: dict, target_gpus: Sequence[Device], dim: int = 0
) -> tuple[list, list]:
    """Do so for positional and named arguments of a call.

    Example:
        >>> scatter_kwargs((1,), dict(name='Ada'), [-1])
        ([(1,)], [{'name': 'Ada'}])
    """
    return (
        scatter(inputs, target_gpus, dim),
        scatter(kwargs, target_gpus, dim),
    )


def _unpack(value: Any, device: Device) -> Any:
    if isinstance(value, Tensor):
        return value if device == -1 else value.to(device)
    if isinstance(value, DataContainer):
        data = value.data[0]
        return data if value.cpu_only else _unpack(data, device)
    if isinstance(value, Mapping):
        return {key: _unpack(each, device) for key, each in value.items()}
    if isinstance(value, tuple) and hasattr(value, '_fields'):
        return type(value)(*(_unpack(each, device) for each in value))
    if isinstance(value, list | tuple):
        return type(value)(_unpack(each, device) for each in value)
    return value
