"""Depth that is missing, made harmless."""

import torch
from torch import Tensor

__all__ = ['zero_missing_depth']


def zero_missing_depth(
    depth: Tensor, has_depth: Tensor | None = None
) -> Tensor:
    """Set both channels to 0 where there is no depth.

    What :func:`normalize_depth` gives is returned as it is. What comes from
    elsewhere may hold NaN, which a convolution would spread, and a weight of
    0 not take back: 0 * NaN is NaN.

    B: batch, (H, W): crop.

    Args:
        depth: normalised depth and its validity (B, 2, H, W).
        has_depth: (B,), above 0 for samples that have depth; None: all.

    Returns:
        (B, 2, H, W), finite.

    Example:
        >>> depth = torch.tensor([[[[torch.nan, 2.0]], [[1.0, 1.0]]]])
        >>> zero_missing_depth(depth)
        tensor([[[[0., 2.]],
        <BLANKLINE>
                 [[0., 1.]]]])
    """
    known = torch.isfinite(depth).all(1, keepdim=True)
    if has_depth is not None:
        known = known & (has_depth > 0)[:, None, None, None]
    return torch.where(known, depth, 0.0)
