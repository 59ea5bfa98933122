"""Feature maps on another grid, by operations that every exporter knows."""

import torch
import torch.nn.functional as F
from torch import Tensor


def interpolate_map(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Interpolate maps (B, C, h, w) bilinearly, unless they fit already."""
    if tuple(maps.shape[-2:]) == tuple(size):
        return maps
    return F.interpolate(
        maps, tuple(size), mode='bilinear', align_corners=False
    )


def average_map(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Average maps onto another grid: adaptive average pooling.

    Cell i of n averages cells floor(i h / n) up to ceil((i + 1) h / n) of h.
    Where the sizes divide that is plain pooling, elsewhere two matrix
    products: TorchScript's ONNX exporter knows adaptive pooling in the first
    case only.

    Args:
        maps: (B, C, h, w).
        size: the grid (h', w').

    Returns:
        (B, C, h', w').

    Example:
        >>> average_map(torch.arange(3.).reshape(1, 1, 1, 3), (1, 2))
        tensor([[[[0.5000, 1.5000]]]])
    """
    # Numbers also while TorchScript traces, which makes tensors of sizes.
    height, width = int(maps.shape[-2]), int(maps.shape[-1])
    if (height, width) == tuple(size):
        return maps
    if height % size[0] == 0 and width % size[1] == 0:
        return F.avg_pool2d(maps, (height // size[0], width // size[1]))
    rows = _shares(height, size[0], maps)
    columns = _shares(width, size[1], maps)
    return rows @ maps @ columns.T


def _shares(cells: int, num: int, like: Tensor) -> Tensor:
    """Share (num, cells) of each cell in each average."""
    index = torch.arange(num, device=like.device)[:, None]
    start = index * cells // num
    end = ((index + 1) * cells + num - 1) // num
    cell = torch.arange(cells, device=like.device)
    inside = (start <= cell) & (cell < end)
    return inside.to(like.dtype) / (end - start).to(like.dtype)
