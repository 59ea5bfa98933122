"""A module whose attributes form a batch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_NUMERIC = (int, float, list, tuple, np.ndarray, np.number)


class TensorProperties(nn.Module):
    """Hold named tensors of one batch size on one device.

    Numbers, sequences and arrays become tensors, and tensors of batch size
    one stand for the whole batch. They move with the module but are no
    buffers: a state dict does not know them. Anything else becomes an
    attribute as it is.

    Args:
        dtype: of what is not a tensor yet.
        device: where all tensors go.
        kwargs: the attributes.

    Raises:
        ValueError: two tensors differ in batch size, and neither is one.

    Example:
        >>> lens = TensorProperties(focal=2.0, centre=torch.zeros(5, 2))
        >>> len(lens), lens.focal.shape
        (5, torch.Size([5]))
    """

    device: torch.device

    def __init__(
        self,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = 'cpu',
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.device = _resolve(device)
        tensors = {}
        for name, value in kwargs.items():
            if isinstance(value, Tensor):
                tensors[name] = value.to(self.device)
            elif isinstance(value, _NUMERIC) and not isinstance(value, bool):
                tensors[name] = torch.as_tensor(
                    value, dtype=dtype, device=self.device
                )
            else:
                setattr(self, name, value)
        tensors = {
            name: tensor.reshape(1) if tensor.ndim == 0 else tensor
            for name, tensor in tensors.items()
        }
        sizes = {name: len(tensor) for name, tensor in tensors.items()}
        self._N = max(sizes.values(), default=0)
        if not set(sizes.values()) <= {1, self._N}:
            raise ValueError(f'batch sizes {sizes} do not fit together')
        for name, tensor in tensors.items():
            setattr(self, name, tensor.expand(self._N, *tensor.shape[1:]))

    def __len__(self) -> int:
        """Size of the batch."""
        return self._N

    def _apply(
        self, fn: Callable[[Tensor], Tensor], recurse: bool = True
    ) -> 'TensorProperties':
        # What moving and casting a module, or one it is part of, ends in.
        super()._apply(fn, recurse)
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                setattr(self, name, fn(value))
        self.device = fn(torch.empty(0, device=self.device)).device
        return self


def _resolve(device: torch.device | str) -> torch.device:
    """Name the device as its tensors do, with an index where they have one.

    A device that is so named already is returned itself: MMHuman3D compares
    devices of cameras by identity.
    """
    actual = torch.empty(0, device=device).device
    return (
        device
        if isinstance(device, torch.device) and device == actual
        else actual
    )
