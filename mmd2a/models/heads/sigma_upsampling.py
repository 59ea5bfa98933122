"""From the scale of coarse vertices to that of all vertices."""

import torch
from torch import Tensor


def upsample_scale(up: Tensor, sigma: Tensor) -> Tensor:
    r"""Average σ over the coarse vertices that a vertex is made of.

    .. math:: \sigma_v = \sum_k \frac{|W_{vk}|}{\sum_j |W_{vj}|} \sigma_k

    for a mesh upsampled by W. That is the standard deviation of a vertex if
    the coarse vertices around it are off together, as neighbours on a body
    are; were they off independently it would be smaller. A true propagation
    needs their correlations, which no head predicts: the rule is our choice.
    W itself has negative weights, for the smoothness of the mesh, by which σ
    could become negative; the average lies between the smallest and the
    largest σ of those it is of.

    B: batch, V: vertices, K: coarse vertices, D: dims.

    Args:
        up: W (V, K).
        sigma: σ (B, K, D), not negative.

    Returns:
        (B, V, D), in the unit of sigma.

    Example:
        >>> up = torch.tensor([[1.0, 0.0], [0.75, -0.25]])
        >>> upsample_scale(up, torch.tensor([[[0.1], [0.3]]])).flatten()
        tensor([0.1000, 0.1500])
    """
    # Half precision has no room between two small scales.
    with torch.autocast(sigma.device.type, enabled=False):
        share = up.abs()
        share = share / share.sum(1, keepdim=True).clamp_min(
            torch.finfo(share.dtype).tiny
        )
        return share @ sigma.to(share.dtype)
