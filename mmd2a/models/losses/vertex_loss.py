"""L1 loss on mesh vertices."""

from torch import Tensor, nn

from mmd2a.models.losses.reduction import l1_per_point
from mmd2a.registry import MODELS


@MODELS.register_module()
class VertexLoss(nn.Module):
    r"""Mean absolute error of mesh vertices.

    .. math:: L = \frac{\lambda}{n} \sum_{b,v} w_{bv}\,
              \tfrac{1}{3} \lVert \hat v_{bv} - v_{bv} \rVert_1

    with n the number of vertices of weight above 0.

    B: batch, V: vertices.

    Args:
        loss_weight: the factor λ.

    D2A-HMR names this term L_v; L1 is our choice.

    Example:
        >>> import torch
        >>> pred = torch.zeros(2, 5, 3)
        >>> VertexLoss()(pred, torch.ones(2, 5, 3), torch.ones(2, 1))
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
        """Compare vertices.

        Args:
            pred: (B, V, 3), metres, any frame shared with target.
            target: (B, V, 3); may hold anything where the weight is 0.
            weight: (B, V), or (B, 1) for whole meshes.
            avg_factor: divisor instead of n.
            reduction_override: how architectures of mmdet and MMHuman3D ask
                for 'none', the value (B, V, 3) of each coordinate, 'sum' or
                'mean'.
        """
        return self.loss_weight * l1_per_point(
            pred, target, weight, avg_factor, reduction_override
        )
