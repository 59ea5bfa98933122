"""One block of the depth cross-attention encoder of D2A-HMR."""

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmd2a.models.encoders.attention import MultiHeadAttention
from mmd2a.models.encoders.stream_fusion import build_fusion
from mmd2a.registry import MODELS


@MODELS.register_module()
class DepthCrossAttentionBlock(BaseModule):
    r"""One encoder block, in the order in which D2A-HMR draws it.

    .. math::
        z'_{img} &= z_{img} + \operatorname{SelfAttn}_{img}(
                    \operatorname{Norm}(z_{img})) \\
        z'_{depth} &= z_{depth} + \operatorname{SelfAttn}_{depth}(
                    \operatorname{Norm}(z_{depth})) \\
        z_c &= \operatorname{CrossAttn}(z'_{img}, z'_{depth}) \\
        z_f &= \operatorname{Gate}(z'_{img}, z_c, z'_{depth}) \\
        z &= z_f + \operatorname{MLP}(\operatorname{Norm}(z_f))

    The gate plays the residual's part around the cross-attention. Without
    depth :math:`z_f = z'_{img}`: a plain pre-norm transformer block.

    B: batch, N: tokens, C: token width.

    Args:
        embed_dims: token width C.
        num_heads: heads of each of the attentions.
        mlp_ratio: hidden width of the MLP over C.
        dropout: of attention weights, attention outputs and both MLP layers.
        with_depth: build the depth stream, cross-attention and gate.
        fused_attention: see :class:`MultiHeadAttention`.
        fusion: how the three streams are mixed: ``'gate'``, as drawn,
            ``'add'``, ``'concat'`` or ``'cross_attention'``; see
            :func:`~mmd2a.models.encoders.stream_fusion.build_fusion`.
        init_cfg: MMEngine initialisation.

    D2A-HMR (Bright et al., CRV 2024), panel (b).

    Example:
        >>> block = DepthCrossAttentionBlock(embed_dims=8, num_heads=2)
        >>> z, z_depth = block(torch.zeros(2, 5, 8), torch.zeros(2, 5, 8))
        >>> z.shape, z_depth.shape
        (torch.Size([2, 5, 8]), torch.Size([2, 5, 8]))
    """

    def __init__(
        self,
        embed_dims: int = 512,
        num_heads: int = 8,
        mlp_ratio: float = 4.0,
        dropout: float = 0.1,
        with_depth: bool = True,
        fused_attention: bool = True,
        fusion: str = 'gate',
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        attention = (embed_dims, num_heads, dropout, fused_attention)
        hidden = int(embed_dims * mlp_ratio)
        self.with_depth = with_depth
        self.norm_img = nn.LayerNorm(embed_dims)
        self.attn_img = MultiHeadAttention(*attention)
        if with_depth:
            self.norm_depth = nn.LayerNorm(embed_dims)
            self.attn_depth = MultiHeadAttention(*attention)
            self.attn_cross = MultiHeadAttention(*attention)
            self.fusion = build_fusion(fusion, embed_dims)
        self.norm_mlp = nn.LayerNorm(embed_dims)
        self.mlp = nn.Sequential(
            nn.Linear(embed_dims, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, embed_dims),
            nn.Dropout(dropout),
        )

    def forward(
        self,
        z_img: Tensor,
        z_depth: Tensor | None = None,
        has_depth: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Return z and z'_depth.

        Args:
            z_img: (B, N, C).
            z_depth: (B, N, C), finite; None: no sample has depth.
            has_depth: bool (B, 1, 1); the gate of samples where it is False
                is closed, z_f = z'_img. None: all have depth.

        Returns:
            z (B, N, C) and z'_depth (B, N, C), None where z_depth is.
        """
        z_img = z_img + self.attn_img(self.norm_img(z_img))
        z_f = z_img
        if self.with_depth and z_depth is not None:
            z_depth = z_depth + self.attn_depth(self.norm_depth(z_depth))
            z_cross = self.attn_cross(z_img, z_depth)
            z_f = self.fusion([z_img, z_cross, z_depth])
            if has_depth is not None:
                z_f = torch.where(has_depth, z_f, z_img)
        return z_f + self.mlp(self.norm_mlp(z_f)), z_depth
