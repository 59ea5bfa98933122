"""Depth at places between pixels, some of which have none."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmd2a.depth.missing import zero_missing_depth

__all__ = ['sample_depth']

# Of the four pixels around a point, so much must have depth.
_KNOWN = 0.5


def sample_depth(
    depth: Tensor, points2d: Tensor, has_depth: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Read depth at points, bilinearly between the pixels that have some.

    B: batch, P: points, (H, W): crop.

    Args:
        depth: normalised depth and its validity (B, 2, H, W), as
            :func:`normalize_depth` gives it; anything where invalid.
        points2d: (B, P, 2), crop coordinates.
        has_depth: (B,), above 0 for samples that have depth; None: all.

    Returns:
        Depth (B, P), finite, of no meaning where unknown; and bool (B, P),
        where most of what lies around the point has depth.

    Example:
        >>> depth = torch.ones(1, 2, 2, 2)
        >>> depth[0, :, :, 1] = torch.nan
        >>> points = torch.tensor([[[-0.5, 0.0], [0.5, 0.0]]])
        >>> value, known = sample_depth(depth, points)
        >>> value[0, 0], known
        (tensor(1.), tensor([[ True, False]]))
    """
    depth = zero_missing_depth(depth, has_depth)
    value, valid = depth[:, :1], (depth[:, 1:] > 0).to(depth.dtype)
    sampled = F.grid_sample(
        torch.cat([value * valid, valid], 1),
        points2d[:, :, None],
        mode='bilinear',
        padding_mode='zeros',
        align_corners=False,
    )[..., 0]
    share = sampled[:, 1]
    return sampled[:, 0] / share.clamp_min(_KNOWN), share > _KNOWN
