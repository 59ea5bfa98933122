"""Best similarity transform between point sets (Procrustes)."""

import roma
import torch
from torch import Tensor

# Points whose spread is below rounding, relative to their distance from the
# origin, count as one point.
_COINCIDENT = 1e-28
_TINY = 1e-300
# Newton steps after which the trace of a rotation's stretch stands still.
_NEWTON_STEPS = 5
# Beyond these the closed form of a rotation loses digits.
_SMALLEST_GAP = 1e-3
_LARGEST_STEP = 1e-10
# For fewer matrices than this, LAPACK is as fast.
_MANY = 128
# Samples aligned at a time on a CPU: what is in between stays in its cache.
_PIECE = 1024


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
    if source.device.type != 'cpu' or len(source) <= _PIECE:
        return _align(source, target, weight)
    sets = [s.split(_PIECE) for s in (source, target, weight) if s is not None]
    return torch.cat([_align(*piece) for piece in zip(*sets)])


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


def _align(
    source: Tensor, target: Tensor, weight: Tensor | None = None
) -> Tensor:
    """Do the work of :func:`similarity_align`."""
    # Batch last: every operation then runs over long rows of numbers.
    x, y = (s.double().permute(2, 1, 0).contiguous() for s in (source, target))
    if weight is None:
        w = x.new_tensor(1 / max(x.shape[1], 1))
        x_counted, y_counted = x, y
    else:
        w = weight.double().T.contiguous()
        total = w.sum(dim=0)
        w = w / total.where(total > 0, 1.0)
        x_counted, y_counted = x.where(w > 0, 0.0), y.where(w > 0, 0.0)
    x_mean = (w * x_counted).sum(dim=1, keepdim=True)
    y_mean = (w * y_counted).sum(dim=1, keepdim=True)
    x_centered = x - x_mean
    y_weighted = w * (y_counted - y_mean)
    if weight is None:
        x_counted = x_centered
    else:
        x_counted = x_centered.where(w > 0, 0.0)
        y_weighted = y_weighted.where(w > 0, 0.0)
    x_variance = (w * x_counted.square()).sum(dim=(0, 1))
    covariance = (y_weighted[:, None] * x_counted).sum(dim=2)

    # A sample that holds NaN becomes NaN through its mean below.
    finite = covariance.isfinite().all(dim=0).all(dim=0)
    covariance = covariance.where(finite, 0.0)
    rotation = _nearest_rotations(covariance)

    one_point = x_variance <= _COINCIDENT * x_mean.square().sum(dim=(0, 1))
    stretch = (rotation * covariance).sum(dim=(0, 1)) / x_variance
    linear = rotation * torch.where(one_point, 1.0, stretch)
    aligned = (linear[:, :, None] * x_centered).sum(dim=1) + y_mean
    return aligned.permute(2, 1, 0).to(source.dtype).contiguous()


def _nearest_rotations(matrix: Tensor) -> Tensor:
    r"""Find the rotation nearest to each matrix, which is never a mirror.

    .. math:: R = \arg\max_{R \in SO(3)} \operatorname{tr}(R^\top M)

    B: batch, last.

    With :math:`M = R S`, S symmetric, and the invariants :math:`i_1, i_2, i_3`
    of S, the theorem of Cayley and Hamilton gives

    .. math:: R = \frac{i_1 \operatorname{cof} M + (i_1^2 - i_2) M
                       - M M^\top M}{i_1 i_2 - i_3}

    where :math:`i_3 = \det M`, :math:`i_2 = (i_1^2 - \|M\|^2) / 2` and
    :math:`i_1` is the largest root of
    :math:`i_2^2 = \|\operatorname{cof} M\|^2 + 2 i_3 i_1`, found by Newton's
    method from above: some operations on whole batches, where an SVD calls
    LAPACK for every matrix. The denominator is the product of the sums of two
    singular values, the last of them with the sign of the determinant. Where
    it is small, R is barely determined or not at all, and comes from the SVD;
    so it does for few matrices, and where gradients are asked for.

    Args:
        matrix: (3, 3, B) float64, finite.

    Returns:
        Rotations (3, 3, B); one of the best where there are many.

    Theobald, "Rapid calculation of RMSDs using a quaternion-based
    characteristic polynomial", Acta Cryst. A 2005 (the equation of i1); Hoger
    and Carlson, "Determination of the stretch and rotation in the polar
    decomposition of the deformation gradient", 1984.
    """
    if matrix.requires_grad and torch.is_grad_enabled():
        # Its gradient stays finite where the rotation is not unique.
        batch_first = matrix.permute(2, 0, 1)
        return roma.special_procrustes(batch_first).permute(1, 2, 0)
    if matrix.shape[2] < _MANY:
        return _rotations_by_svd(matrix)
    # In two steps, so that no square overflows or vanishes.
    m = matrix / matrix.abs().amax(dim=(0, 1)).clamp(min=_TINY)
    m = m / m.square().sum(dim=(0, 1)).sqrt().clamp(min=_TINY)
    cofactors = torch.linalg.cross(m.roll(-1, 0), m.roll(-2, 0), dim=1)
    cofactor_norm = cofactors.square().sum(dim=(0, 1))
    i3 = (m[0] * cofactors[0]).sum(dim=0)
    # 3 ** -0.5 <= i1 <= 3 ** 0.5 for matrices of norm 1.
    i1 = torch.where(i3 > 0, 3**0.5, 3**-0.5)
    for _ in range(2):
        i2 = (cofactor_norm + 2 * i3 * i1).clamp(min=0).sqrt()
        i1 = (1 + 2 * i2).sqrt()
    for _ in range(_NEWTON_STEPS):
        i2 = (i1.square() - 1) / 2
        error = i2.square() - 2 * i3 * i1 - cofactor_norm
        step = error / (2 * (i1 * i2 - i3))
        i1 = i1 - step
    i2 = (i1.square() - 1) / 2
    gap = i1 * i2 - i3
    rotation = i1 * cofactors + (i1.square() - i2) * m
    rotation = (rotation - _matmul(m, _matmul(m.transpose(0, 1), m))) / gap
    # What is left of an error in i1 is a stretch, and a step of Newton and
    # Schulz towards an orthogonal matrix squares it.
    stretch = _matmul(rotation.transpose(0, 1), rotation)
    rotation = 1.5 * rotation - 0.5 * _matmul(rotation, stretch)
    hard = ~((gap > _SMALLEST_GAP) & (step.abs() < _LARGEST_STEP))
    if hard.any():
        rotation[:, :, hard] = _rotations_by_svd(matrix[:, :, hard])
    return rotation


def _rotations_by_svd(matrix: Tensor) -> Tensor:
    """Find the nearest rotations of matrices (3, 3, B) by their SVD."""
    u, _, vh = torch.linalg.svd(matrix.permute(2, 0, 1))
    # Flip the weakest axis where the best orthogonal map is a reflection.
    flip = torch.ones_like(u[:, 0])
    flip[:, 2] = (torch.det(u) * torch.det(vh)).sign()
    return ((u * flip[:, None]) @ vh).permute(1, 2, 0)


def _matmul(a: Tensor, b: Tensor) -> Tensor:
    """Multiply matrices (3, 3, B), batch last."""
    return (a[:, :, None] * b).sum(dim=1)
