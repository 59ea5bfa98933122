"""HybrIK where there is no GPU.

It is the one model of MMHuman3D that names CUDA in its computation, only to
have tensors where its features are. Without a GPU they are there already.
"""

import functools
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from mmd2a.interop.mmhuman3d.importing.restricted_readers import (
    restricted_view,
)

# Modules that call functions of `torch.cuda` on the way.
NEED_GPU = frozenset({'mmhuman3d.models.heads.hybrik_head'})


@functools.cache
def torch_without_gpu() -> ModuleType | None:
    """``torch`` with a ``torch.cuda`` that stays on the CPU.

    Returns:
        None where there is a GPU.

    Example:
        >>> view = torch_without_gpu()
        >>> view is None or view.cuda.FloatTensor is torch.FloatTensor
        True
    """
    if torch.cuda.is_available():
        return None
    view = ModuleType('torch', torch.__doc__)
    vars(view).update(vars(restricted_view('torch')))
    vars(view)['cuda'] = SimpleNamespace(
        is_available=torch.cuda.is_available,
        FloatTensor=torch.FloatTensor,
        comm=SimpleNamespace(broadcast=_broadcast),
    )
    return view


def _broadcast(tensor: Tensor, devices: list) -> list[Tensor]:
    return [tensor for _ in devices]


def cuda_means_here() -> AbstractContextManager:
    """Let ``tensor.cuda()`` return the tensor where there is no GPU.

    Example:
        >>> with cuda_means_here():
        ...     ones = torch.ones(2).cuda()
        >>> ones.shape
        torch.Size([2])
    """
    # Looking at every function of torch takes time: not on a GPU.
    return nullcontext() if torch.cuda.is_available() else _CudaMeansHere()


class _CudaMeansHere(TorchFunctionMode):
    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict | None = None
    ) -> Any:
        if func is Tensor.cuda:
            return args[0]
        return func(*args, **(kwargs or {}))
