"""The depth cross-attention encoder of D2A-HMR."""

import logging
from collections.abc import Sequence
from typing import Any

from mmengine.logging import print_log
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from mmd2a.models.encoders.depth_cross_attention_block import (
    DepthCrossAttentionBlock,
)
from mmd2a.models.encoders.stream_fusion import FUSIONS
from mmd2a.registry import MODELS
from mmd2a.structures import TokenMap, missing_as_nobodys

DEPTH_STREAMS = ('own', 'fused')
DEFAULT_POSITIONAL_ENCODING = dict(type='mmd2a.HybridPositionalEncoding')
DEFAULT_MASKING = dict(type='mmd2a.TokenMasking', max_ratio=0.3)


@MODELS.register_module()
class DepthCrossAttentionEncoder(BaseModule):
    r"""Fuse image and depth tokens into one sequence describing a person.

    Positions are added to both streams (one sin-cos table, one learnable
    table per stream), ``depth`` blocks follow, and masked modelling acts on
    the output. The image stream of the next block is z; the depth stream is
    z'_depth or, with ``depth_stream='fused'``, z as well.

    Depth is optional twice. ``with_depth=False`` builds no parameter of the
    depth path; the rest keep their names, so the weights of one model load
    into the other (``strict=False``). With a depth path, samples without
    depth pass with closed gates: their output is that of the image stream
    alone, and nothing in their depth tokens, NaN included, reaches a value
    or a gradient. All parameters get a gradient in every case, zero where
    they did not take part.

    At the start each gate gives the image stream 0.9 of the mix, so z is at
    first that of an RGB-only encoder up to a small share of depth.

    Between feature maps it is :class:`DepthCrossAttentionNeck`.

    B: batch, C: token width, (h, w): token grid, N = h w: tokens.

    Args:
        embed_dims: token width C.
        depth: number of blocks.
        num_heads: heads of each attention.
        mlp_ratio: hidden width of the MLPs over C.
        dropout: see :class:`DepthCrossAttentionBlock`.
        grid_size: (h, w) at training, the size of the learnable tables;
            other grids are interpolated.
        with_depth: False: an RGB-only encoder.
        depth_stream: what the next block's depth stream starts from: its
            ``'own'`` output or the ``'fused'`` tokens.
        positional_encoding: config of :class:`HybridPositionalEncoding`
            (``embed_dims`` and ``grid_size`` are filled in); None: off.
        masking: config of :class:`TokenMasking` (``embed_dims`` is filled
            in); None: off.
        fused_attention: see :class:`MultiHeadAttention`.
        fusion: see :class:`DepthCrossAttentionBlock`.
        in_channels, depth_channels, level, as_tuple: of the neck, which the
            name of the encoder built in 0.1.0 where ``in_channels`` is given;
            for one release it still does, with a warning.
        init_cfg: MMEngine initialisation; the gates keep their own.

    D2A-HMR (Bright et al., CRV 2024), panels (a) and (b). The order of the
    block is drawn; the sizes are our choice.

    Example:
        >>> encoder = DepthCrossAttentionEncoder(
        ...     embed_dims=8, depth=2, num_heads=2, grid_size=(3, 3))
        >>> image = TokenMap(torch.randn(2, 9, 8), (3, 3))
        >>> depth = TokenMap(torch.randn(2, 9, 8), (3, 3), torch.ones(2))
        >>> encoder(image, depth).tokens.shape
        torch.Size([2, 9, 8])
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Build the neck where this name was used for it."""
        if kwargs.get('in_channels') is None:
            return super().__new__(cls)
        # A neck holds an encoder, so its module imports this one.
        from mmd2a.models.necks import DepthCrossAttentionNeck

        print_log(
            "type='mmd2a.DepthCrossAttentionEncoder' with in_channels is a "
            "neck: write type='mmd2a.DepthCrossAttentionNeck'; the next "
            'release does not take it any more',
            logger='current',
            level=logging.WARNING,
        )
        return DepthCrossAttentionNeck(*args, **kwargs)

    def __init__(
        self,
        embed_dims: int = 512,
        depth: int = 4,
        num_heads: int = 8,
        mlp_ratio: float = 4.0,
        dropout: float = 0.1,
        grid_size: tuple[int, int] = (7, 7),
        with_depth: bool = True,
        depth_stream: str = 'own',
        positional_encoding: dict | None = DEFAULT_POSITIONAL_ENCODING,
        masking: dict | None = DEFAULT_MASKING,
        fused_attention: bool = True,
        in_channels: int | Sequence[int] | None = None,
        depth_channels: int | Sequence[int] = 128,
        level: int = -1,
        as_tuple: bool = True,
        fusion: str = 'gate',
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        if init_cfg is None:
            init_cfg = [
                dict(type='TruncNormal', layer='Linear', std=0.02),
                dict(type='Constant', layer='LayerNorm', val=1, bias=0),
            ]
        super().__init__(init_cfg)
        if depth_stream not in DEPTH_STREAMS:
            raise ValueError(
                f'depth_stream must be one of {DEPTH_STREAMS}, '
                f'got {depth_stream!r}.'
            )
        self.embed_dims = embed_dims
        if fusion not in FUSIONS:
            raise ValueError(
                f'fusion must be one of {FUSIONS}, got {fusion!r}.'
            )
        self.with_depth = with_depth
        self.depth_stream = depth_stream
        self.position_img: nn.Module | None = None
        self.position_depth: nn.Module | None = None
        self.masking: nn.Module | None = None
        if positional_encoding is not None:
            sizes = dict(embed_dims=embed_dims, grid_size=grid_size)
            self.position_img = MODELS.build(
                positional_encoding, default_args=sizes
            )
            if with_depth:
                self.position_depth = MODELS.build(
                    positional_encoding, default_args=sizes
                )
        self.blocks = ModuleList(
            DepthCrossAttentionBlock(
                embed_dims,
                num_heads,
                mlp_ratio,
                dropout,
                with_depth,
                fused_attention,
                fusion,
            )
            for _ in range(depth)
        )
        if masking is not None:
            self.masking = MODELS.build(
                masking, default_args=dict(embed_dims=embed_dims)
            )

    def forward(
        self, image: TokenMap, depth: TokenMap | None = None
    ) -> TokenMap:
        """Encode the tokens of a batch.

        Args:
            image: image tokens (B, N, C) on (h, w).
            depth: depth tokens (B, N', C), on another grid perhaps, to whose
                image's they are then interpolated (bilinear), with ``has``
                where not all samples have depth; None: nobody has.

        Returns:
            z (B, N, C) on the grid of the image.
        """
        z, grid, _ = TokenMap.checked(image, 'image tokens')
        z_depth, has_depth = self._depth_stream(image, depth)
        if self.position_img is not None:
            z = z + self.position_img(grid)
        if self.position_depth is not None and z_depth is not None:
            z_depth = z_depth + self.position_depth(grid)
        if self.masking is not None and self.masking.target == 'input':
            z = self.masking(z)
        for block in self.blocks:
            z, z_depth = block(z, z_depth, has_depth)
            if self.depth_stream == 'fused' and z_depth is not None:
                z_depth = z
        if self.masking is not None and self.masking.target == 'output':
            z = self.masking(z)
        return TokenMap(z, grid)

    def _depth_stream(
        self, image: TokenMap, depth: TokenMap | None
    ) -> tuple[Tensor | None, Tensor | None]:
        """Depth tokens as the image's lie, and whose gates are open."""
        if not self.with_depth:
            if depth is not None:
                raise ValueError(
                    'depth tokens were given to an encoder built with '
                    '`with_depth=False`; set it to True or drop the depth '
                    'branch.'
                )
            return None, None
        if depth is not None:
            TokenMap.checked(depth, 'depth tokens')
        depth = missing_as_nobodys(depth, image, self.embed_dims)
        if depth is None:
            return None, None
        tokens = depth.resampled(image.grid).tokens
        if tokens.shape != image.tokens.shape:
            raise ValueError(
                f'image tokens {tuple(image.tokens.shape)} and depth tokens '
                f'{tuple(tokens.shape)} must have the same shape (B, N, C): '
                'the gate adds them elementwise. Change the embedding of '
                'depth.'
            )
        has = depth.has
        return tokens, None if has is None else has[:, None, None]
