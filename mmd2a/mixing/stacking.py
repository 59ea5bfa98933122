"""Depth as two channels of an image that any warp may resample."""

import numpy as np
import torch
from torch import Tensor

from mmd2a.depth import check_depth_kind


def stack_depth(
    image: np.ndarray, depth: np.ndarray | None, kind: str = 'metric'
) -> np.ndarray:
    """Append depth to an image as two channels: depth * valid, and valid.

    Resampling mixes neighbouring pixels, and what is missing must not leak
    into the mixture. Premultiplied by its validity, depth can be recovered
    exactly as the mean of the valid pixels that were mixed, and zeros, as
    image borders are filled with, are invalid depth.

    H, W: image size.

    Args:
        image: (H, W, 3).
        depth: (H, W), larger = farther; NaN or infinite is invalid, and so is
            metric depth <= 0. None: all invalid.
        kind: what the depth is, see :func:`~mmd2a.depth.depth_of_kind`.

    Returns:
        (H, W, 5) float32.

    Example:
        >>> depth = np.array([[2., np.nan]])
        >>> stack_depth(np.zeros((1, 2, 3)), depth)[0, :, 3:].tolist()
        [[2.0, 1.0], [0.0, 0.0]]
    """
    if depth is None:
        depth = np.full(image.shape[:2], np.nan, np.float32)
    if (
        image.ndim != 3
        or image.shape[2] != 3
        or (image.shape[:2] != depth.shape)
    ):
        raise ValueError(
            f'need an image (H, W, 3) and depth (H, W), got '
            f'{image.shape} and {depth.shape}'
        )
    valid = np.isfinite(depth)
    if check_depth_kind(kind) == 'metric':
        valid &= depth > 0
    channels = np.where(valid, depth, 0), valid
    return np.dstack([image, *channels]).astype(np.float32)


def unstack_depth(channels: Tensor) -> Tensor:
    """Recover depth from the two channels that :func:`stack_depth` appends.

    B: batch, H, W: image size.

    Args:
        channels: (B, 2, H, W), resampled in whatever way.

    Returns:
        (B, 1, H, W); NaN where less than half of what was mixed is valid.

    Example:
        >>> halves = torch.tensor([1.5, .75]).view(1, 2, 1, 1)
        >>> unstack_depth(halves).item()
        2.0
    """
    total, valid = channels.float().split(1, dim=1)
    return torch.where(valid >= 0.5, total / valid, torch.nan)
