"""``mmcv.engine``: test a model over a data loader."""

from typing import Any

import torch
from mmengine.dist import collect_results, collect_results_cpu
from mmengine.dist import collect_results_gpu as gather_on_gpu
from torch import nn
from torch.utils.data import DataLoader

__all__ = [
    'collect_results_cpu',
    'collect_results_gpu',
    'multi_gpu_test',
    'single_gpu_test',
]


def single_gpu_test(model: nn.Module, data_loader: DataLoader) -> list:
    """Collect what a model returns for every batch.

    Args:
        model: called as ``model(return_loss=False, **batch)``, which returns
            a list with an entry per sample.
        data_loader: gives batches as dicts.

    Example:
        >>> class Model(nn.Module):
        ...     def forward(self, x, return_loss):
        ...         return list(x)
        >>> single_gpu_test(Model(), DataLoader([dict(x=1), dict(x=2)]))
        [tensor(1), tensor(2)]
    """
    model.train(False)
    results: list[Any] = []
    for batch in data_loader:
        with torch.no_grad():
            results.extend(model(return_loss=False, **batch))
    return results


def multi_gpu_test(
    model: nn.Module,
    data_loader: DataLoader,
    tmpdir: str | None = None,
    gpu_collect: bool = False,
) -> list | None:
    """Do so on every rank; the first gets all results in order.

    Args:
        model, data_loader: see :func:`single_gpu_test`.
        tmpdir: where results are exchanged.
        gpu_collect: exchange them through memory.
    """
    return collect_results(
        single_gpu_test(model, data_loader),
        len(data_loader.dataset),  # type: ignore[arg-type]
        'gpu' if gpu_collect else 'cpu',
        tmpdir,
    )


def collect_results_gpu(result_part: list, size: int) -> list | None:
    """Bring the results of all ranks together on the first.

    Args:
        result_part: those of this rank.
        size: how many there are.
    """
    return gather_on_gpu(result_part, size)
