"""Errors of points and meshes: pure functions on batches.

B: batch, P: points (joints or vertices). OpenCV camera frame, so axis 2 is
depth. The unit of the result is that of the points.

Every function takes ``pred`` (B, P, 3), ``target`` (B, P, 3) and an optional
``weight`` (B, P), non-negative, and returns one number per sample (B,), in
the dtype of ``pred``, computed in float64. Other shapes are refused. Points
of weight 0 leave no trace, whatever they hold. A sample without any counted
point has no error: its result is NaN, and whoever averages leaves it out.

None of them aligns roots: subtract the root joint of the protocol first.
"""

from torch import Tensor

from mmd2a.geometry.alignment import check_point_sets, similarity_align

__all__ = ['mpjpe', 'mpjpe_z', 'pa_mpjpe', 'pa_mpjpe_z', 'pve']


def mpjpe(
    pred: Tensor, target: Tensor, weight: Tensor | None = None
) -> Tensor:
    r"""Mean joint error per sample.

    .. math:: \frac{\sum_p w_p \| x_p - y_p \|}{\sum_p w_p}

    Args:
        pred: joints (B, P, 3), relative to their root.
        target: joints (B, P, 3), relative to their root.
        weight: (B, P); None: every joint counts.

    Returns:
        Errors (B,).

    Ionescu et al., "Human3.6M", TPAMI 2014.

    Example:
        >>> import torch
        >>> mpjpe(torch.zeros(1, 14, 3), torch.ones(1, 14, 3))
        tensor([1.7321])
    """
    return _mean(_difference(pred, target, weight).norm(dim=-1), weight).to(
        pred.dtype
    )


def pa_mpjpe(
    pred: Tensor, target: Tensor, weight: Tensor | None = None
) -> Tensor:
    """Mean joint error per sample after the best similarity transform.

    :func:`mpjpe` of the prediction moved by
    :func:`mmd2a.geometry.similarity_align`: never mirrored, finite on
    degenerate points.

    Args:
        pred: joints (B, P, 3), in any frame.
        target: joints (B, P, 3).
        weight: (B, P); None: every joint counts, also in the alignment.

    Returns:
        Errors (B,).

    Example:
        >>> import torch
        >>> joints = torch.rand(1, 14, 3).double()
        >>> bool(pa_mpjpe(2 * joints + 3, joints) < 1e-9)
        True
    """
    check_point_sets(pred, target, weight)
    aligned = similarity_align(pred.double(), target.double(), weight)
    return mpjpe(aligned, target, weight).to(pred.dtype)


def pve(pred: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean vertex error per sample: :func:`mpjpe` over the mesh.

    Args:
        pred: vertices (B, P, 3), relative to their root.
        target: vertices (B, P, 3), relative to their root.
        weight: (B, P); None: every vertex counts.

    Returns:
        Errors (B,).

    Example:
        >>> import torch
        >>> pve(torch.zeros(2, 431, 3), torch.zeros(2, 431, 3))
        tensor([0., 0.])
    """
    return mpjpe(pred, target, weight)


def mpjpe_z(
    pred: Tensor, target: Tensor, weight: Tensor | None = None
) -> Tensor:
    r"""Mean error along the depth axis per sample.

    .. math:: \frac{\sum_p w_p | z(x_p) - z(y_p) |}{\sum_p w_p}

    Args:
        pred: joints (B, P, 3), camera axes, relative to their root.
        target: joints (B, P, 3), camera axes, relative to their root.
        weight: (B, P); None: every joint counts.

    Returns:
        Errors (B,).

    Example:
        >>> import torch
        >>> mpjpe_z(torch.zeros(1, 14, 3), torch.ones(1, 14, 3))
        tensor([1.])
    """
    return _mean(_difference(pred, target, weight)[..., 2].abs(), weight).to(
        pred.dtype
    )


def pa_mpjpe_z(
    pred: Tensor, target: Tensor, weight: Tensor | None = None
) -> Tensor:
    """Mean error along the depth axis after the best similarity transform.

    Args:
        pred: joints (B, P, 3), in any frame.
        target: joints (B, P, 3), camera axes.
        weight: (B, P); None: every joint counts, also in the alignment.

    Returns:
        Errors (B,).

    Example:
        >>> import torch
        >>> joints = torch.rand(1, 14, 3).double()
        >>> bool(pa_mpjpe_z(2 * joints + 3, joints) < 1e-9)
        True
    """
    check_point_sets(pred, target, weight)
    aligned = similarity_align(pred.double(), target.double(), weight)
    return mpjpe_z(aligned, target, weight).to(pred.dtype)


def _difference(pred: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """Return pred - target (B, P, 3) in float64, zero where not counted."""
    check_point_sets(pred, target, weight)
    difference = pred.double() - target.double()
    if weight is None:
        return difference
    return difference.where(weight[..., None] > 0, 0.0)


def _mean(error: Tensor, weight: Tensor | None) -> Tensor:
    """Average (B, P) errors over the counted points; NaN without any."""
    if weight is None:
        return error.mean(dim=1)
    weight = weight.double()
    return (weight * error).sum(dim=1) / weight.sum(dim=1)
