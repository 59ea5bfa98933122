"""L1 loss on joints in two or three dims."""

from torch import Tensor, nn

from mmd2a.models.losses.reduction import l1_per_point
from mmd2a.registry import MODELS


@MODELS.register_module()
class JointLoss(nn.Module):
    r"""Mean absolute error of joints: L_3D (D=3) and L_2D (D=2).

    .. math:: L = \frac{\lambda}{n} \sum_{b,j} w_{bj}\,
              \tfrac{1}{D} \lVert \hat x_{bj} - x_{bj} \rVert_1

    with n the number of joints of weight above 0.

    B: batch, J: joints, D: 2 or 3.

    Args:
        loss_weight: the factor λ.

    D2A-HMR, terms L_3D and L_2D.

    Example:
        >>> import torch
        >>> pred, target = torch.zeros(2, 14, 2), torch.ones(2, 14, 2)
        >>> target[0, 0], weight = torch.nan, torch.ones(2, 14)
        >>> weight[0, 0] = 0
        >>> JointLoss()(pred, target, weight)
        tensor(1.)
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
        """Compare joints.

        Args:
            pred: (B, J, D), metres (D=3) or crop coordinates (D=2).
            target: (B, J, D); may hold anything where the weight is 0.
            weight: (B, J), or (B, 1) for whole skeletons.
            avg_factor: divisor instead of n.
            reduction_override: how architectures of mmdet and MMHuman3D ask
                for 'none', the value (B, J, D) of each coordinate, 'sum' or
                'mean'.
        """
        return self.loss_weight * l1_per_point(
            pred, target, weight, avg_factor, reduction_override
        )
