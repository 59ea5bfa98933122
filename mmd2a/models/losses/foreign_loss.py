"""Losses of other packages as terms of ours, or one line why not."""

import inspect
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from mmd2a.models.losses.reduction import (
    full_precision,
    keep_valid,
    weighted_mean,
)
from mmd2a.registry import MODELS


class ElementwiseLoss(nn.Module):
    """Give a loss of another package the weights and averages of ours.

    mmdet and MMHuman3D weigh every coordinate and average over all, labelled
    or not; ours weigh points and average over the labelled ones. The loss is
    asked for its value per element (``reduction_override='none'``), its
    ``loss_weight`` included; the rest is as in :class:`JointLoss`.

    B: batch, P: points, D: dims.

    Args:
        loss: the loss; ``forward(pred, target, ..., reduction_override)``.

    Example:
        >>> class SquaredLoss(nn.Module):
        ...     def forward(self, pred, target, reduction_override=None):
        ...         return (pred - target).square()
        >>> pred, target = torch.zeros(2, 5, 3), torch.ones(2, 5, 3)
        >>> ElementwiseLoss(SquaredLoss())(pred, target, torch.ones(2, 5))
        tensor(1.)
    """

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(
        self,
        pred: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: Tensor | float | None = None,
    ) -> Tensor:
        """Compare points.

        Args:
            pred: (B, P, D).
            target: (B, P, D); may hold anything where the weight is 0.
            weight: (B, P), or (B, 1) for whole samples.
            avg_factor: divisor instead of the number of points of weight
                above 0.
        """
        with torch.autocast(pred.device.type, enabled=False):
            pred, target = full_precision(pred), full_precision(target)
            if weight is not None:
                weight = weight.to(pred.dtype).expand(pred.shape[:-1])
            value = self.loss(
                keep_valid(pred, weight),
                keep_valid(target, weight),
                reduction_override='none',
            )
            if value.shape != pred.shape:
                raise ValueError(
                    f'its value per element is {tuple(value.shape)} for '
                    f'points {tuple(pred.shape)}'
                )
            return weighted_mean(value.mean(-1), weight, avg_factor)


def build_point_loss(
    cfg: dict[str, Any], slot: str, num_points: int, dims: int
) -> nn.Module:
    """Build a loss that compares points, of this or of another package.

    It is tried once on zeros, so that one which cannot take part is refused
    here and not in the first step.

    Args:
        cfg: config of the loss. One with the contract of
            :class:`JointLoss` is used as it is, an elementwise one of another
            package through :class:`ElementwiseLoss`.
        slot: what the config is called, for the error.
        num_points: P.
        dims: D.

    Raises:
        ValueError: the loss is of another kind.

    Example:
        >>> build_point_loss(dict(type='mmd2a.JointLoss'), 'loss', 14, 3)
        JointLoss()
    """
    loss = MODELS.build(cfg)
    advice = 'use mmd2a.JointLoss or mmd2a.VertexLoss'
    taken = _arguments(loss)
    ours = 'weight' in taken and 'reduction_override' not in taken
    if taken[:2] != ['pred', 'target'] or not (
        ours or 'reduction_override' in taken
    ):
        raise _refusal(loss, slot, f'it takes ({", ".join(taken)})', advice)
    if not ours and not getattr(loss, 'weighs_points', False):
        if getattr(loss, 'reduction', 'mean') != 'mean':
            raise _refusal(
                loss,
                slot,
                f"reduction='{loss.reduction}' is for another model; this one "
                'averages over labelled points',
                "leave reduction='mean'",
            )
        loss = ElementwiseLoss(loss)
    points = torch.zeros(2, num_points, dims)
    _try(loss, slot, advice, points, points, torch.ones(2, num_points))
    return loss


def build_optional_loss(
    cfg: dict[str, Any] | None, slot: str, num_points: int, dims: int
) -> nn.Module | None:
    """Build a loss of points as :func:`build_point_loss` does; None: off."""
    if cfg is None:
        return None
    return build_point_loss(cfg, slot, num_points, dims)


def build_mask_loss(cfg: dict[str, Any], slot: str) -> nn.Module:
    """Build a loss that compares mask logits with a larger mask.

    Args:
        cfg: config of a loss with the contract of :class:`SilhouetteLoss`.
        slot: what the config is called, for the error.

    Raises:
        ValueError: the loss is of another kind.

    Example:
        >>> build_mask_loss(dict(type='mmd2a.SilhouetteLoss'), 'loss')
        SilhouetteLoss()
    """
    loss = MODELS.build(cfg)
    advice = 'use mmd2a.SilhouetteLoss'
    taken = _arguments(loss)
    if taken[:3] != ['pred', 'target', 'weight']:
        raise _refusal(loss, slot, f'it takes ({", ".join(taken)})', advice)
    masks = torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 8, 8)
    _try(loss, slot, advice, *masks, torch.ones(2))
    return loss


def build_density_loss(cfg: dict[str, Any], slot: str) -> Any:
    """Build a loss that judges points by a flow, such as :class:`RLELoss`.

    Args:
        cfg: config of the loss.
        slot: what the config is called, for the error.

    Raises:
        ValueError: the loss is of another kind.

    Example:
        >>> build_density_loss(dict(type='mmd2a.RLELoss'), 'loss')
        RLELoss()
    """
    loss = MODELS.build(cfg)
    taken = _arguments(loss)
    if taken[:4] != ['pred', 'sigma', 'target', 'flow']:
        raise _refusal(
            loss, slot, f'it takes ({", ".join(taken)})', 'use mmd2a.RLELoss'
        )
    return loss


def _arguments(loss: nn.Module) -> list[str]:
    return list(inspect.signature(loss.forward).parameters)


def _try(loss: nn.Module, slot: str, advice: str, *inputs: Tensor) -> None:
    """Refuse a loss that does not give one number for such inputs."""
    inner = loss.loss if isinstance(loss, ElementwiseLoss) else loss
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter('ignore')
            value = loss(*inputs)
    except Exception as error:
        reason = str(error).split('\n')[0] or type(error).__name__
        raise _refusal(inner, slot, reason, advice) from error
    if value.ndim:
        reason = f'it gives {tuple(value.shape)}, not one number'
        raise _refusal(inner, slot, reason, advice)


def _refusal(
    loss: nn.Module, slot: str, reason: str, advice: str
) -> ValueError:
    package = type(loss).__module__.split('.')[0]
    return ValueError(
        f'{slot} cannot be {package}.{type(loss).__name__}: {reason}; {advice}'
    )
