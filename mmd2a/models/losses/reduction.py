"""What every loss here does with weights, averages and precision.

The rule: an item whose weight is not above 0 leaves no trace. Its label may
be NaN or infinite; value and gradient are exactly what they would be without
it. ``0 * nan`` is ``nan``, so labels are replaced *before* the loss reads
them (`keep_valid`) and values dropped again when averaged (`weighted_mean`).

An infinite label that does count, or a prediction far out, gives a large but
finite value and a finite gradient (`clamp_value`): one of them must not turn
a batch into NaN. A label that counts and is NaN gives NaN, as it should: there
is nothing to compare with.
"""

from typing import Any

import torch
from torch import Tensor

# Errors larger than this count as this: their sum over a batch is a number.
LARGEST_ERROR = 1e18


class _ClampValue(torch.autograd.Function):
    """Clamp forwards, identity backwards, also where x is infinite.

    ``x.clamp(...).detach() + x - x.detach()`` is NaN there.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: Any, high: Any) -> Tensor:
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        return grads[0], None, None


def clamp_value(
    x: Tensor, low: Tensor | float, high: Tensor | float
) -> Tensor:
    """Clamp the value and let the gradient through.

    Unlike ``torch.clamp``, whose gradient is 0 outside the bounds, so that
    what is far off would never come back. NaN stays NaN.

    Args:
        x: any shape.
        low, high: bounds, two numbers or two tensors of the shape of x.

    Example:
        >>> x = torch.tensor([-torch.inf, 2.0], requires_grad=True)
        >>> y = clamp_value(x, -1.0, 1.0)
        >>> y.tolist(), torch.autograd.grad(y.sum(), x)[0].tolist()
        ([-1.0, 1.0], [1.0, 1.0])
    """
    return _ClampValue.apply(x, low, high)


def full_precision(x: Tensor) -> Tensor:
    """Promote half precision to float32; leave float32 and float64."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def keep_valid(x: Tensor, weight: Tensor | None, fill: float = 0.0) -> Tensor:
    """Replace items of x (*S, ...) whose weight (*S) is not above 0."""
    if weight is None:
        return x
    valid = (weight > 0).reshape(weight.shape + (1,) * (x.ndim - weight.ndim))
    return torch.where(valid, x, torch.full_like(x, fill))


def weighted_mean(
    value: Tensor, weight: Tensor | None, avg_factor: Tensor | float | None
) -> Tensor:
    """Sum ``weight * value`` over items and divide by their number.

    Args:
        value: loss of each item (*S).
        weight: (*S), or None for ones.
        avg_factor: divisor. Defaults to the number of items with a weight
            above 0 (at least 1), so that doubling every weight doubles the
            loss and missing labels do not dilute it.

    Returns:
        Scalar; 0 with its graph attached if there is nothing to average.
    """
    if weight is not None:
        value = weigh(value, weight)
        count: Tensor | float = (weight > 0).sum().clamp_min(1)
    else:
        count = max(value.numel(), 1)
    return value.sum() / (count if avg_factor is None else avg_factor)


def l1_per_point(
    pred: Tensor,
    target: Tensor,
    weight: Tensor | None,
    avg_factor: Tensor | float | None,
    reduction_override: str | None = None,
) -> Tensor:
    """Mean absolute coordinate error over points (B, P, D) of weight (B, P).

    A weight of (B, 1) counts for all points of its sample, one of (B, P, D)
    for single coordinates, which are the items then. ``reduction_override``
    is what other packages say: 'none' for |pred - target| (B, P, D), weighed
    but not averaged, 'sum' for its sum, 'mean' or None for the mean.
    """
    check_reduction(reduction_override, avg_factor)
    if pred.shape != target.shape:
        raise ValueError(
            f'pred {tuple(pred.shape)} and target '
            f'{tuple(target.shape)} differ in shape'
        )
    with torch.autocast(pred.device.type, enabled=False):
        pred, target = full_precision(pred), full_precision(target)
        single = weight is not None and weight.shape == pred.shape
        if weight is not None:
            weight = weight.to(pred.dtype)
            if not single:
                weight = weight.expand(pred.shape[:-1])
        # Dropping the difference drops label and prediction in one pass.
        error = clamp_value(
            keep_valid(pred - target, weight), -LARGEST_ERROR, LARGEST_ERROR
        ).abs()
        if reduction_override in ('none', 'sum'):
            error = weigh(error, weight)
            return error if reduction_override == 'none' else error.sum()
        return weighted_mean(
            error if single else error.mean(-1), weight, avg_factor
        )


def check_reduction(
    reduction: str | None, avg_factor: Tensor | float | None
) -> None:
    """Refuse what no package means by ``reduction_override``."""
    if reduction not in (None, 'none', 'mean', 'sum'):
        raise ValueError(
            "reduction_override is None, 'none', 'mean' or 'sum', got "
            f'{reduction!r}'
        )
    if reduction == 'sum' and avg_factor is not None:
        raise ValueError("avg_factor divides a mean, not reduction 'sum'")


def weigh(value: Tensor, weight: Tensor | None) -> Tensor:
    """Values (*S, ...) times weights (*S), exactly 0 where not above 0."""
    if weight is None:
        return value
    weight = weight.reshape(weight.shape + (1,) * (value.ndim - weight.ndim))
    return torch.where(weight > 0, value * weight, torch.zeros_like(value))
