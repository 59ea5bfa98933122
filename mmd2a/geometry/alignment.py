"""Best similarity transform between point sets (Procrustes)."""

import torch
from torch import Tensor

# Points whose spread is below rounding, relative to their distance from the
# origin, count as one point.
_COINCIDENT = 1e-28


def similarity_align(
    source: Tensor, target: Tensor, weight: Tensor | None = None
) -> Tensor:
    r"""Move each source onto its target by the best similarity transform.

    .. math:: \min_{s, R, t} \sum_p w_p \| s R x_p + t - y_p \|^2,
              \qquad \det R = +1,\; s \ge 0

    B: batch, P: points.

    R is a proper rotation also where a mirror image would fit better. Points
    of weight 0 do not count, whatever they hold (NaN included), but are moved
    along. Computed in float64. Where the minimiser is not unique (collinear
    points, a single point) one of them is used; coincident sources are only
    shifted; with all weights 0 the sample stays as it is. A sample holding
    NaN or infinity at a counted point comes back as NaN and leaves the others
    alone.

    Args:
        source: (B, P, 3). Nothing else is accepted: guessing which axis is
            the batch is silently wrong for small batches.
        target: (B, P, 3), same unit.
        weight: (B, P), non-negative; all ones if not given.

    Returns:
        Aligned source (B, P, 3), in the dtype of ``source``.

    Umeyama, "Least-squares estimation of transformation parameters between
    two point patterns", TPAMI 1991.

    Example:
        >>> points = torch.rand(2, 14, 3)
        >>> aligned = similarity_align(3 * points + 1, points)
        >>> torch.allclose(aligned, points, atol=1e-5)
        True
    """
    check_point_sets(source, target, weight)
    x, y = source.double(), target.double()
    if weight is None:
        w = x.new_full(x.shape[:2], 1 / max(x.shape[1], 1))[..., None]
    else:
        w = weight.double()[..., None]
        total = w.sum(dim=1, keepdim=True)
        w = w / total.where(total > 0, 1.0)
    x_counted, y_counted = x.where(w > 0, 0.0), y.where(w > 0, 0.0)

    x_mean = (w * x_counted).sum(dim=1, keepdim=True)
    y_mean = (w * y_counted).sum(dim=1, keepdim=True)
    x_centered = (x_counted - x_mean).where(w > 0, 0.0)
    y_centered = (y_counted - y_mean).where(w > 0, 0.0)
    x_variance = (w * x_centered.square()).sum(dim=(1, 2))
    covariance = (w * y_centered).transpose(1, 2) @ x_centered

    # The SVD raises on NaN; such a sample becomes NaN through its mean below.
    finite = covariance.isfinite().all(dim=2).all(dim=1)
    u, s, vh = torch.linalg.svd(covariance.where(finite[:, None, None], 0.0))
    # Flip the weakest axis where the best orthogonal map is a reflection.
    flip = torch.ones_like(s)
    flip[:, 2] = (torch.det(u) * torch.det(vh)).sign()
    rotation = (u * flip[:, None]) @ vh

    one_point = x_variance <= _COINCIDENT * x_mean.square().sum(dim=(1, 2))
    scale = torch.where(one_point, 1.0, (s * flip).sum(dim=1) / x_variance)
    aligned = (
        scale[:, None, None] * ((x - x_mean) @ rotation.transpose(1, 2))
        + y_mean
    )
    return aligned.to(source.dtype)


def check_point_sets(
    source: Tensor, target: Tensor, weight: Tensor | None = None
) -> None:
    """Raise ``ValueError`` unless shapes are (B, P, 3), (B, P, 3), (B, P)."""
    if source.ndim != 3 or source.shape[-1] != 3:
        raise ValueError(
            f'expected points of shape (B, P, 3), got {tuple(source.shape)}; '
            f'for a single sample pass points[None]'
        )
    if target.shape != source.shape:
        raise ValueError(
            f'target {tuple(target.shape)} and source '
            f'{tuple(source.shape)} must have the same shape'
        )
    if weight is not None and weight.shape != source.shape[:2]:
        raise ValueError(
            f'weight must have shape {tuple(source.shape[:2])}, one per '
            f'point, got {tuple(weight.shape)}'
        )
