"""Three layouts of a batch of tensors that differ in length.

*list*: N tensors. *padded*: one tensor (N, largest length, ...), filled up.
*packed*: one tensor (sum of lengths, ...).
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def list_to_padded(
    x: Sequence[Tensor],
    pad_size: Sequence[int] | None = None,
    pad_value: float = 0.0,
    equisized: bool = False,
) -> Tensor:
    """Fill tensors up to a common size and stack them.

    Args:
        x: N tensors of the same number of dimensions.
        pad_size: common size, without the batch; by default the largest in
            each dimension.
        pad_value: what to fill up with.
        equisized: all sizes are equal, just stack.

    Returns:
        One tensor (N, *pad_size).

    Raises:
        ValueError: the tensors differ in their number of dimensions, or
            ``pad_size`` has another number.

    Example:
        >>> list_to_padded([torch.ones(1), torch.ones(2)])
        tensor([[1., 0.],
                [1., 1.]])
    """
    if equisized:
        return torch.stack(list(x))
    ndim = {item.ndim for item in x}
    if len(ndim) != 1:
        raise ValueError(
            'tensors to pad must have the same number of '
            f'dimensions, not {sorted(ndim)}'
        )
    if pad_size is None:
        pad_size = [max(sizes) for sizes in zip(*(item.shape for item in x))]
    if len(pad_size) not in ndim:
        raise ValueError(
            f'pad_size {tuple(pad_size)} must name a size for '
            f'each of {ndim.pop()} dimensions'
        )
    padded = x[0].new_full((len(x), *pad_size), pad_value)
    for i, item in enumerate(x):
        padded[i][tuple(map(slice, item.shape))] = item
    return padded


def padded_to_list(
    x: Tensor,
    split_size: Sequence[int] | Sequence[Sequence[int]] | None = None,
) -> list[Tensor]:
    """Split a padded tensor and cut the padding off.

    Args:
        x: (N, ...).
        split_size: per tensor its length, or its size in each dimension;
            nothing is cut by default.

    Returns:
        N tensors, views of ``x``.

    Raises:
        ValueError: ``split_size`` is not N long.

    Example:
        >>> padded_to_list(torch.ones(2, 3), [1, 3])
        [tensor([1.]), tensor([1., 1., 1.])]
    """
    if split_size is None:
        return list(x.unbind())
    _check(x, split_size)
    sizes = [
        (size,) if isinstance(size, int) else tuple(size)
        for size in split_size
    ]
    return [item[tuple(map(slice, size))] for item, size in zip(x, sizes)]


def padded_to_packed(
    x: Tensor,
    split_size: Sequence[int] | None = None,
    pad_value: float | None = None,
) -> Tensor:
    """Put the rows of a padded tensor one after the other.

    Args:
        x: (N, M, C).
        split_size: per item its number of rows; the rest is dropped.
        pad_value: rows of nothing but this value are dropped. By default
            all N * M rows are kept.

    Returns:
        Rows (R, C).

    Raises:
        ValueError: ``x`` has another number of dimensions, ``split_size`` is
            not N long, or both ways to drop rows are asked for.

    Example:
        >>> padded_to_packed(torch.ones(2, 3, 4), split_size=[1, 3]).shape
        torch.Size([4, 4])
    """
    if x.ndim != 3:
        raise ValueError(f'expected a tensor (N, M, C), not {tuple(x.shape)}')
    if split_size is not None and pad_value is not None:
        raise ValueError(
            'rows are dropped by split_size or by pad_value, not by both'
        )
    if split_size is not None:
        return torch.cat(padded_to_list(x, split_size))
    rows = x.flatten(0, 1)
    return rows if pad_value is None else rows[rows.ne(pad_value).any(-1)]


def _check(x: Tensor, split_size: Sequence) -> None:
    if len(split_size) != len(x):
        raise ValueError(
            f'split_size names {len(split_size)} sizes for {len(x)} tensors'
        )
