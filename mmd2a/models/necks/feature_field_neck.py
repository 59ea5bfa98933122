"""A feature field and its picture between a backbone and a head."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor

from mmd2a.models.encoders import PatchEmbedding
from mmd2a.models.fields import View
from mmd2a.registry import MODELS

FIELD = dict(type='mmd2a.FeatureField')
RENDERER = dict(type='mmd2a.VolumeRenderer')


@MODELS.register_module()
class FeatureFieldNeck(BaseModule):
    """See feature maps through a field of ImpHMR: maps in, a map out.

    ::

        maps ── patch embedding ── field ── renderer ── map

    The map is that of the camera's own view, on the grid of the renderer
    over the whole input, so that it stands where a map of the backbone would.

    B: batch, (h_i, w_i): grid of map i, C_i: its channels, C: features of the
    field, (h, w): rendered grid.

    Args:
        in_channels: channels of the backbone's map or maps, in their order.
        embed_dims: width of the tokens that the field is conditioned on.
        field: config of :class:`FeatureField`; its ``out_channels`` is C.
        renderer: config of :class:`VolumeRenderer`; its ``size`` is (h, w).
        level: index of the map whose grid the tokens have; see
            :class:`PatchEmbedding`.
        as_tuple: return the map in a tuple, as heads of mmpose, mmdet and
            mmpretrain take it; False for heads that take a tensor, as some of
            MMHuman3D do.
        init_cfg: as in :class:`mmengine.model.BaseModule`.

    Cho et al., CVPR 2023, arXiv:2306.17651.

    Example:
        >>> neck = FeatureFieldNeck(
        ...     in_channels=[16, 32], embed_dims=8,
        ...     field=dict(type='mmd2a.FeatureField', out_channels=12),
        ...     renderer=dict(type='mmd2a.VolumeRenderer', size=(4, 3)))
        >>> maps = torch.randn(2, 16, 8, 6), torch.randn(2, 32, 4, 3)
        >>> neck(maps)[-1].shape
        torch.Size([2, 12, 4, 3])
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        embed_dims: int = 256,
        field: dict[str, Any] = FIELD,
        renderer: dict[str, Any] = RENDERER,
        level: int = -1,
        as_tuple: bool = True,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.as_tuple = as_tuple
        self.patch_embedding = PatchEmbedding(in_channels, embed_dims, level)
        self.field = MODELS.build(
            field, default_args=dict(in_channels=embed_dims)
        )
        self.renderer = MODELS.build(renderer)

    def forward(
        self, features: Tensor | Sequence[Tensor]
    ) -> Tensor | tuple[Tensor]:
        """Render the feature maps of a batch.

        Args:
            features: maps (B, C_i, h_i, w_i), one or a sequence.

        Returns:
            (B, C, h, w), in a tuple if ``as_tuple``.
        """
        image = self.patch_embedding(features)
        # Angles are single numbers: half precision is for the features.
        yaw = image.tokens.new_zeros(len(image.tokens), dtype=torch.float32)
        seen = self.renderer(self.field.conditioned(image), View(yaw)).features
        return (seen,) if self.as_tuple else seen
