"""From where a person is imagined: p(φ)."""

import math

import torch
from torch import Tensor, nn

from mmd2a.registry import MODELS


@MODELS.register_module()
class UniformYaw(nn.Module):
    """Draw angles of view, all alike within reach of the canonical one.

    Another distribution is another class of this interface, named in the
    config: ``forward(batch, device)`` gives angles (B,) in radians.

    Args:
        reach: the largest angle, radians; π: from all around.

    Raises:
        ValueError: a reach beyond half a turn, or none.

    ImpHMR (Cho et al., CVPR 2023, arXiv:2306.17651) draws φ from p(φ); that
    it is uniform over the azimuth is our choice.

    Example:
        >>> yaw = UniformYaw(reach=0.5)(100, torch.device('cpu'))
        >>> yaw.shape, bool((yaw.abs() <= 0.5).all())
        (torch.Size([100]), True)
    """

    def __init__(self, reach: float = math.pi) -> None:
        super().__init__()
        if not 0 < reach <= math.pi:
            raise ValueError(f'reach={reach} must be in (0, pi], radians')
        self.reach = reach

    def forward(self, batch: int, device: torch.device) -> Tensor:
        """Draw one angle for each sample.

        Args:
            batch: B.
            device: where the angles are to be.

        Returns:
            φ (B,), radians.
        """
        return self.reach * (2 * torch.rand(batch, device=device) - 1)

    def extra_repr(self) -> str:
        """Say how far it goes."""
        return f'reach={self.reach:.4g}'
