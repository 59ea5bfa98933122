"""How far a mesh lies before or behind what depth saw."""

import torch
from torch import Tensor

from mmd2a.depth.normalization import masked_quantile
from mmd2a.depth.sampling import sample_depth

__all__ = ['depth_residual']


def depth_residual(
    depth: Tensor,
    points2d: Tensor,
    z: Tensor,
    reference: Tensor,
    metres_per_unit: float = 0.6,
    has_depth: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Compare predicted points with the depth where they project.

    .. math:: r_p = m\, D(u_p) - z_p
              - \operatorname{median}_q \bigl(m\, D(u_q) - z_q\bigr)

    with D sampled bilinearly between the pixels that have depth, and the
    median over reference points q. Where neither knows how far the person
    is, the difference of the rest remains: 0 where the prediction is right,
    positive where it is too near.

    B: batch, P: points, (H, W): crop. OpenCV camera frame.

    Args:
        depth: normalised depth and its validity (B, 2, H, W), as
            :func:`normalize_depth` gives it; anything where invalid.
        points2d: where they project (B, P, 2), crop coordinates.
        z: their predicted z (B, P) in metres, from any origin.
        reference: bool (B, P), points that lie on the surface depth sees.
        metres_per_unit: m, the scale of :func:`normalize_depth`.
        has_depth: (B,), above 0 for samples that have depth; None: all.

    Returns:
        r (B, P) in metres, 0 where unknown; and bool (B, P), where known: a
        point with depth, on a person of whom a reference point has some.

    Example:
        >>> depth = torch.ones(1, 2, 4, 4)
        >>> depth[0, 0, :, 2:] = 1.5  # the right half 0.3 m farther
        >>> points = torch.tensor([[[-.5, 0.], [-.5, .2], [.5, 0.]]])
        >>> z, surface = torch.zeros(1, 3), torch.ones(1, 3).bool()
        >>> depth_residual(depth, points, z, surface)[0].round(decimals=3)
        tensor([[0.0000, 0.0000, 0.3000]])
    """
    value, known = sample_depth(depth.to(z.dtype), points2d, has_depth)
    difference = metres_per_unit * value - z
    counts = reference & known
    median = masked_quantile(difference, counts, 0.5)
    known = known & counts.any(1, keepdim=True)
    return torch.where(known, difference - median, 0.0), known
