"""``mmcv.runner.dist_utils``: ranks, MMEngine's by now."""

from collections.abc import Iterable

from mmengine.dist import all_reduce_params, get_dist_info, master_only
from torch import Tensor, nn

from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in

__getattr__ = found_in(__name__, 'mmengine.dist')

__all__ = [
    'allreduce_grads',
    'allreduce_params',
    'get_dist_info',
    'master_only',
]


def allreduce_params(
    params: Iterable[Tensor], coalesce: bool = True, bucket_size_mb: int = -1
) -> None:
    """Give every rank the mean of parameters or buffers, in place.

    Args:
        params: the same on every rank.
        coalesce: exchange many at once.
        bucket_size_mb: how much at once; -1 for all of a type.

    Example:
        >>> allreduce_params([])
    """
    tensors = [getattr(param, 'data', param) for param in params]
    if tensors:
        all_reduce_params(tensors, coalesce, bucket_size_mb, op='mean')


def allreduce_grads(
    params: Iterable[nn.Parameter],
    coalesce: bool = True,
    bucket_size_mb: int = -1,
) -> None:
    """Do so with the gradients that parameters have.

    Args: see :func:`allreduce_params`.
    """
    allreduce_params(
        [
            param.grad
            for param in params
            if param.requires_grad and param.grad is not None
        ],
        coalesce,
        bucket_size_mb,
    )
