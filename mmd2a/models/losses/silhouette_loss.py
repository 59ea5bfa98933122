"""Cross-entropy and Dice loss on a person mask."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmd2a.models.losses.reduction import (
    LARGEST_ERROR,
    check_reduction,
    clamp_value,
    full_precision,
    keep_valid,
    weigh,
    weighted_mean,
)
from mmd2a.registry import MODELS


@MODELS.register_module()
class SilhouetteLoss(nn.Module):
    r"""Binary cross-entropy plus Dice, both per image.

    .. math:: L = \frac{\lambda}{n} \sum_b w_b \Bigl(
              \operatorname{BCE}(p_b, m_b) + 1 -
              \frac{2 \sum p_b m_b + 1}{\sum p_b + \sum m_b + 1} \Bigr)

    with p the sigmoid of the logits, m the mask averaged down to their size
    and n the number of images of weight above 0.

    B: batch, (h, w): size of the logits, (H, W): size of the mask.

    Args:
        loss_weight: the factor λ.

    D2A-HMR names this term L_silh; BCE and Dice are our choice.

    Example:
        >>> logits, mask = torch.zeros(2, 1, 8, 8), torch.zeros(2, 1, 32, 32)
        >>> SilhouetteLoss()(logits, mask).shape
        torch.Size([])
    """

    weighs_points = True

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(
        self,
        pred: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: Tensor | float | None = None,
        reduction_override: str | None = None,
    ) -> Tensor:
        """Compare masks.

        Args:
            pred: logits (B, 1, h, w).
            target: mask (B, 1, H, W) in [0, 1]; may hold anything where the
                weight is 0.
            weight: (B,).
            avg_factor: divisor instead of n.
            reduction_override: how models of other packages ask for 'none',
                the value (B,) of each image, 'sum' or 'mean'.
        """
        check_reduction(reduction_override, avg_factor)
        if (
            pred.ndim != 4
            or target.shape[:2] != pred.shape[:2]
            or (pred.shape[1] != 1 or target.ndim != 4)
        ):
            raise ValueError(
                'SilhouetteLoss compares logits (B, 1, h, w) with masks '
                f'(B, 1, H, W), got {tuple(pred.shape)} and '
                f'{tuple(target.shape)}'
            )
        if weight is not None and weight.shape != pred.shape[:1]:
            raise ValueError(
                f'weight is one number per image, (B,) = '
                f'({len(pred)},), got {tuple(weight.shape)}'
            )
        with torch.autocast(pred.device.type, enabled=False):
            logits = clamp_value(
                keep_valid(full_precision(pred), weight),
                -LARGEST_ERROR,
                LARGEST_ERROR,
            )
            mask = keep_valid(target.to(logits.dtype), weight).clamp(0, 1)
            if mask.shape[-2:] != logits.shape[-2:]:
                mask = F.interpolate(mask, logits.shape[-2:], mode='area')
            bce = F.binary_cross_entropy_with_logits(
                logits, mask, reduction='none'
            ).mean((1, 2, 3))
            prob = logits.sigmoid()
            overlap = (prob * mask).sum((1, 2, 3))
            total = prob.sum((1, 2, 3)) + mask.sum((1, 2, 3))
            dice = 1 - (2 * overlap + 1) / (total + 1)
            if weight is not None:
                weight = weight.to(logits.dtype)
            value = bce + dice
            if reduction_override in ('none', 'sum'):
                value = self.loss_weight * weigh(value, weight)
                return value if reduction_override == 'none' else value.sum()
            return self.loss_weight * weighted_mean(value, weight, avg_factor)
