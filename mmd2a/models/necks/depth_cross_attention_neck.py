"""The depth cross-attention encoder between a backbone and a head."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmd2a.models.encoders import DepthCrossAttentionEncoder, PatchEmbedding
from mmd2a.registry import MODELS
from mmd2a.structures import RGBDFeatures

_PARTS = ('encoder.', 'patch_embedding.', 'depth_embedding.')


@MODELS.register_module()
class DepthCrossAttentionNeck(BaseModule):
    """Encode feature maps as tokens: feature maps in, a feature map out.

    Behind :class:`RGBDBackbone` it fuses depth, behind a backbone of images
    alone it is a transformer on their features::

        maps ── patch embedding ──┐
                                  ├── encoder ── map
        depth ── patch embedding ─┘

    B: batch, (h_i, w_i): grid of map i, C_i: its channels, C: token width,
    (h, w): token grid.

    Args:
        in_channels: channels of the backbone's map or maps, in their order.
        embed_dims: token width C.
        depth_channels: channels of the map or maps of the depth branch.
        level: index of the backbone's map whose grid the tokens have; see
            :class:`PatchEmbedding`.
        as_tuple: return the map in a tuple, as heads of mmpose, mmdet and
            mmpretrain take it; False for heads that take a tensor, as some of
            MMHuman3D do.
        init_cfg: MMEngine initialisation.
        **encoder: further arguments of :class:`DepthCrossAttentionEncoder`.

    Example:
        >>> neck = DepthCrossAttentionNeck(
        ...     in_channels=[16, 32], depth_channels=4, embed_dims=8,
        ...     depth=2, num_heads=2, grid_size=(3, 3))
        >>> image = torch.randn(2, 16, 6, 6), torch.randn(2, 32, 3, 3)
        >>> depth = torch.randn(2, 4, 6, 6)
        >>> neck(RGBDFeatures(image, (depth, ), torch.ones(2)))[-1].shape
        torch.Size([2, 8, 3, 3])
        >>> neck(image)[-1].shape  # Nobody has depth.
        torch.Size([2, 8, 3, 3])
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        embed_dims: int = 512,
        depth_channels: int | Sequence[int] = 128,
        level: int = -1,
        as_tuple: bool = True,
        init_cfg: dict | list[dict] | None = None,
        **encoder: Any,
    ) -> None:
        super().__init__(init_cfg)
        self.as_tuple = as_tuple
        self.encoder = DepthCrossAttentionEncoder(embed_dims, **encoder)
        self.patch_embedding = PatchEmbedding(in_channels, embed_dims, level)
        self.depth_embedding: PatchEmbedding | None = None
        if self.encoder.with_depth:
            self.depth_embedding = PatchEmbedding(depth_channels, embed_dims)
        self.register_load_state_dict_pre_hook(_take_names_of_the_encoder)

    def forward(
        self, features: Tensor | Sequence[Tensor] | RGBDFeatures
    ) -> Tensor | tuple[Tensor]:
        """Encode the feature maps of a batch.

        Args:
            features: an :class:`~mmd2a.structures.RGBDFeatures`, or maps
                (B, C_i, h_i, w_i) of the image alone, one or a sequence.

        Returns:
            z (B, C, h, w), in a tuple if ``as_tuple``.
        """
        if not isinstance(features, RGBDFeatures):
            image, depth = self.patch_embedding(features), None
            if self.depth_embedding is not None and torch.is_grad_enabled():
                # The embedding of depth stays in the graph, too.
                nobody = RGBDFeatures.of_nobody(
                    image.as_map(), self.depth_embedding.in_channels
                )
                depth = self.depth_embedding(nobody.depth, nobody.has_depth)
        elif self.depth_embedding is None:
            raise ValueError(
                'this neck was built with `with_depth=False` but its backbone '
                'gives depth features; set it to True or use the image '
                'backbone alone.'
            )
        else:
            image = self.patch_embedding(features.image)
            depth = self.depth_embedding(features.depth, features.has_depth)
        z = self.encoder(image, depth).as_map()
        return (z,) if self.as_tuple else z


def _take_names_of_the_encoder(
    module: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any
) -> None:
    """Load weights of 0.1.0, where encoder and neck were one module."""
    for key in [key for key in state if key.startswith(prefix)]:
        name = key[len(prefix) :]
        if not name.startswith(_PARTS):
            state[f'{prefix}encoder.{name}'] = state.pop(key)
