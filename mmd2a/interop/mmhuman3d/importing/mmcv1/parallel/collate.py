"""``mmcv.parallel.collate``: samples with containers become a batch."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import default_collate

from mmd2a.interop.mmhuman3d.importing.mmcv1.parallel.data_container import (
    DataContainer,
)


def collate(batch: Sequence, samples_per_gpu: int = 1) -> Any:
    """Make one batch of samples.

    Containers hold a list afterwards with an entry per device, of
    ``samples_per_gpu`` samples each: stacked tensors where the container
    says so, otherwise lists. Everything else is batched as torch does.

    Args:
        batch: samples of the same structure.
        samples_per_gpu: how many of them go to each device.

    Example:
        >>> samples = [dict(image=torch.zeros(3, 8, 8),
        ...                 meta=DataContainer('name', cpu_only=True))] * 2
        >>> batch = collate(samples, samples_per_gpu=2)
        >>> batch['image'].shape, batch['meta']
        (torch.Size([2, 3, 8, 8]), DataContainer([['name', 'name']]))
    """
    if not isinstance(batch, Sequence):
        raise TypeError(f'a batch must be a sequence, not {type(batch)}')
    first = batch[0]
    if isinstance(first, DataContainer):
        return _collate_containers(batch, samples_per_gpu)
    if isinstance(first, Sequence) and not isinstance(first, str | bytes):
        return [collate(each, samples_per_gpu) for each in zip(*batch)]
    if isinstance(first, Mapping):
        return {
            key: collate([sample[key] for sample in batch], samples_per_gpu)
            for key in first
        }
    return default_collate(list(batch))


def _collate_containers(
    batch: Sequence[DataContainer], samples_per_gpu: int
) -> DataContainer:
    first = batch[0]
    per_device = []
    for start in range(0, len(batch), samples_per_gpu):
        data: Any = [
            container.data
            for container in batch[start : start + samples_per_gpu]
        ]
        if first.stack and not first.cpu_only:
            data = _stack(data, first.pad_dims, first.padding_value)
        per_device.append(data)
    return DataContainer(
        per_device,
        first.stack,
        first.padding_value,
        first.cpu_only,
        first.pad_dims,
    )


def _stack(
    tensors: list[Tensor], pad_dims: int | None, value: float
) -> Tensor:
    """Stack tensors, padded at the end of their last dimensions."""
    if pad_dims is None:
        return torch.stack(tensors)
    sizes = torch.tensor([tensor.shape[-pad_dims:] for tensor in tensors])
    largest = sizes.amax(dim=0)
    padded = []
    for tensor, size in zip(tensors, sizes):
        # Pairs of (before, after), from the last dimension forward.
        missing = [(0, int(n)) for n in (largest - size).flip(0)]
        padded.append(F.pad(tensor, sum(missing, ()), value=value))
    return torch.stack(padded)
