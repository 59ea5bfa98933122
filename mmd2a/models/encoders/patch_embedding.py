"""Tokens from the feature maps of a CNN."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmd2a.models.resampling import average_map, interpolate_map
from mmd2a.registry import MODELS
from mmd2a.structures import TokenMap


@MODELS.register_module()
class PatchEmbedding(BaseModule):
    r"""Turn one or several feature maps into one sequence of tokens.

    Maps of different strides are brought to the grid of one of them, finer
    ones averaged (area pooling) and coarser ones interpolated, concatenated,
    and projected by one convolution whose kernel and stride are
    ``patch_size``. A grid that ``patch_size`` does not divide is padded with
    zeros at its right and bottom, so :math:`h = \lceil h_{map} /
    patch\_size \rceil`, the rule by which CNN strides round too.

    B: batch, C: token width, (h, w): token grid, N = h w: tokens in row order.

    Args:
        in_channels: channels of the map, or of each map, in their order.
        embed_dims: token width C.
        level: index of the map that gives the grid, the last (of a backbone's
            maps the coarsest) by default.
        patch_size: side of a patch, in cells of that map.
        init_cfg: MMEngine initialisation of the projection.

    ViT's patch embedding (Dosovitskiy et al., ICLR 2021) on CNN features.

    Example:
        >>> embed = PatchEmbedding(in_channels=(8, 16), embed_dims=32)
        >>> maps = torch.zeros(2, 8, 14, 14), torch.zeros(2, 16, 7, 7)
        >>> tokens = embed(maps)
        >>> tokens.tokens.shape, tokens.grid
        (torch.Size([2, 49, 32]), (7, 7))
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        embed_dims: int,
        level: int = -1,
        patch_size: int = 1,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        if init_cfg is None:
            init_cfg = dict(
                type='Xavier', layer='Conv2d', distribution='uniform'
            )
        super().__init__(init_cfg)
        if isinstance(in_channels, int):
            in_channels = (in_channels,)
        if not -len(in_channels) <= level < len(in_channels):
            raise ValueError(
                f'level={level} names none of the {len(in_channels)} maps of '
                f'in_channels={tuple(in_channels)}; level=-1 is the last.'
            )
        self.in_channels = tuple(in_channels)
        self.embed_dims = embed_dims
        self.level = level
        self.patch_size = patch_size
        self.proj = nn.Conv2d(
            sum(self.in_channels),
            embed_dims,
            kernel_size=patch_size,
            stride=patch_size,
        )

    def forward(
        self, features: Tensor | Sequence[Tensor], has: Tensor | None = None
    ) -> TokenMap:
        """Embed feature maps.

        Args:
            features: maps (B, C_i, h_i, w_i), one or a sequence.
            has: (B,), above 0 for samples whose maps count; None: all.

        Returns:
            Tokens (B, N, C) on their grid.
        """
        maps = [features] if isinstance(features, Tensor) else list(features)
        channels = tuple(m.shape[1] for m in maps)
        if channels != self.in_channels:
            raise ValueError(
                f'PatchEmbedding was built for maps of {self.in_channels} '
                f'channels but got maps of {channels} channels; set '
                '`in_channels` to what the backbone returns.'
            )
        height, width = maps[self.level].shape[-2:]
        size = (int(height), int(width))
        maps = [
            interpolate_map(m, size)
            if m.shape[-2] < size[0]
            else average_map(m, size)
            for m in maps
        ]
        x = torch.cat(maps, dim=1) if len(maps) > 1 else maps[0]
        pad_h = -x.shape[-2] % self.patch_size
        pad_w = -x.shape[-1] % self.patch_size
        if pad_h or pad_w:
            x = F.pad(x, (0, pad_w, 0, pad_h))
        return TokenMap.from_map(self.proj(x), has)
