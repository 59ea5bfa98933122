"""Measured depth says where a field is dense."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mmd2a.depth import sample_depth, zero_missing_depth
from mmd2a.models.fields.feature_field import sample_map
from mmd2a.registry import MODELS

DEPTH_BRANCH = dict(type='mmd2a.DepthBranch')


@MODELS.register_module()
class DepthSeed(nn.Module):
    r"""Add density to a field near the surface that depth saw.

    .. math:: s(p) = k(u)\, \exp\Bigl(-\frac{(p_z - a\, d(u) - b)^2}
              {2 w^2}\Bigr), \qquad u = (p_x, p_y)

    is added before the activation of the field's density at the point p,
    under whose canonical projection u the depth d was measured. How dense,
    k, the maps of the depth branch say place by place; the scale a from
    units of depth to half-widths of the crop and the shift b, from the front
    of the person to the root's plane, they say for each sample: neither is
    known before the person is.

    Without depth, of a sample or under a point, s is exactly 0 and nothing
    of the depth reaches a value or a gradient.

    B: batch, ...: any number of points, (H, W): crop.

    Args:
        depth_branch: config of the depth backbone, with ``out_channels``.
        scale: a at the start, half-widths of the crop per unit of depth; the
            unit is 0.6 m, and a crop of a standing person about 2 m.
        shift: b at the start, half-widths: a body is this far behind its
            front.
        width: w at the start, half-widths.
        strength: k at the start.

    Raises:
        ValueError: a scale or a width that is not positive.

    Our addition to ImpHMR.

    Example:
        >>> seed = DepthSeed(shift=0.0)
        >>> at = seed(torch.ones(1, 2, 32, 32))  # one unit behind the root
        >>> points = torch.tensor([[[0., 0., 0.6], [0., 0., -0.6]]])
        >>> (at(points) > 1).tolist()
        [[True, False]]
    """

    def __init__(
        self,
        depth_branch: dict[str, Any] = DEPTH_BRANCH,
        scale: float = 0.6,
        shift: float = 0.1,
        width: float = 0.15,
        strength: float = 2.0,
    ) -> None:
        super().__init__()
        if not scale > 0 or not width > 0:
            raise ValueError(
                f'scale={scale} and width={width} must be above 0'
            )
        self.scale, self.shift = scale, shift
        self.depth_branch: Any = MODELS.build(depth_branch)
        channels = self.depth_branch.out_channels
        self.strength = nn.Conv2d(channels, 1, 1)
        self.place = nn.Linear(channels, 2)
        self.log_width = nn.Parameter(torch.tensor(math.log(width)))
        layer: Any
        for layer, start in ((self.strength, strength), (self.place, 0.0)):
            nn.init.normal_(layer.weight, std=0.1 * channels**-0.5)
            nn.init.constant_(layer.bias, start)

    def forward(
        self, depth: Tensor, has_depth: Tensor | None = None
    ) -> Callable[[Tensor], Tensor]:
        """Return what depth knows of density.

        Args:
            depth: normalised depth and its validity (B, 2, H, W).
            has_depth: (B,), above 0 for samples that have depth; None: all.

        Returns:
            A function of points (B, ..., 3), half-widths of the crop, that
            gives s (B, ...).
        """
        depth = zero_missing_depth(depth, has_depth)
        maps = self.depth_branch(depth)
        log_scale, shift = self.place(maps.mean((2, 3))).unbind(1)
        surface = (self.scale * log_scale.exp(), self.shift + shift)
        return partial(
            self._ask, depth, has_depth, self.strength(maps), surface
        )

    def _ask(
        self,
        depth: Tensor,
        has_depth: Tensor | None,
        strength: Tensor,
        surface: tuple[Tensor, Tensor],
        points: Tensor,
    ) -> Tensor:
        """Density to add at points."""
        flat = points.flatten(1, -2)
        # Near and far are not apart in half precision.
        with torch.autocast(points.device.type, enabled=False):
            value, known = sample_depth(
                depth.to(flat.dtype), flat[..., :2], has_depth
            )
            scale, shift = (x.to(flat.dtype)[:, None] for x in surface)
            away = (flat[..., 2] - scale * value - shift) / (
                self.log_width.exp()
            )
            dense = sample_map(strength, flat[..., :2])[..., 0]
            added = dense * (-away.square() / 2).exp()
            # A mask, not a product, so that no gradient is left of it.
            added = torch.where(known, added, 0.0)
        return added.unflatten(1, points.shape[1:-1])

    def extra_repr(self) -> str:
        """Say where density starts."""
        return f'scale={self.scale}, shift={self.shift}'
