"""The depth cross-attention encoder of D2A-HMR."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from mmd2a.models.encoders.attention import MultiHeadAttention
from mmd2a.models.encoders.gated_fusion import LearnableGatedFusion
from mmd2a.models.encoders.patch_embedding import PatchEmbedding
from mmd2a.registry import MODELS
from mmd2a.structures import RGBDFeatures

DEPTH_STREAMS = ('own', 'fused')
DEFAULT_POSITIONAL_ENCODING = dict(type='mmd2a.HybridPositionalEncoding')
DEFAULT_MASKING = dict(type='mmd2a.TokenMasking', max_ratio=0.3)


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
            self.fusion = LearnableGatedFusion(embed_dims, num_streams=3)
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

    It is a part of :class:`D2AHMR`, tokens in and tokens out, and the neck of
    any other model, feature maps in and a feature map out: ``in_channels``
    makes it one. Behind :class:`RGBDBackbone` it fuses depth, behind a
    backbone of images alone it is a transformer on their features.

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
        in_channels: as a neck: channels of the backbone's map or maps, in
            their order. None: tokens in, tokens out.
        depth_channels: as a neck with depth: channels of the map or maps of
            the depth branch.
        level: as a neck: index of the backbone's map whose grid the tokens
            have; see :class:`PatchEmbedding`.
        as_tuple: as a neck: return the map in a tuple, as heads of mmpose,
            mmdet and mmpretrain take it; False for heads that take a tensor,
            as some of MMHuman3D do.
        init_cfg: MMEngine initialisation; the gates keep their own.

    D2A-HMR (Bright et al., CRV 2024), panels (a) and (b). The order of the
    block is drawn; the sizes are our choice.

    Example:
        >>> encoder = DepthCrossAttentionEncoder(
        ...     embed_dims=8, depth=2, num_heads=2, grid_size=(3, 3))
        >>> img, depth = torch.randn(2, 2, 9, 8)
        >>> encoder(img, depth, grid=(3, 3)).shape
        torch.Size([2, 9, 8])
        >>> neck = DepthCrossAttentionEncoder(
        ...     embed_dims=8, depth=2, num_heads=2, grid_size=(3, 3),
        ...     in_channels=[16, 32], depth_channels=4)
        >>> img = torch.randn(2, 16, 6, 6), torch.randn(2, 32, 3, 3)
        >>> depth = torch.randn(2, 4, 6, 6)
        >>> neck(RGBDFeatures(img, (depth, ), torch.ones(2)))[-1].shape
        torch.Size([2, 8, 3, 3])
        >>> neck(img)[-1].shape  # Nobody has depth.
        torch.Size([2, 8, 3, 3])
    """

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
            )
            for _ in range(depth)
        )
        if masking is not None:
            self.masking = MODELS.build(
                masking, default_args=dict(embed_dims=embed_dims)
            )
        self.as_tuple = as_tuple
        self.patch_embedding: PatchEmbedding | None = None
        self.depth_embedding: PatchEmbedding | None = None
        if in_channels is not None:
            self.patch_embedding = PatchEmbedding(
                in_channels, embed_dims, level
            )
            if with_depth:
                self.depth_embedding = PatchEmbedding(
                    depth_channels, embed_dims
                )

    def _prepare_depth(
        self,
        img_tokens: Tensor,
        depth_tokens: Tensor | None,
        grid: tuple[int, int],
        has_depth: Tensor | None,
        depth_grid: tuple[int, int] | None,
    ) -> tuple[Tensor | None, Tensor | None]:
        """Check the depth tokens, clean them and bring them to the grid."""
        if not self.with_depth:
            if depth_tokens is not None:
                raise ValueError(
                    'depth tokens were given to an encoder built with '
                    '`with_depth=False`; set it to True or drop the depth '
                    'branch.'
                )
            return None, None
        batch = len(img_tokens)
        if depth_tokens is None:
            if not torch.is_grad_enabled():
                return None, None
            # Closed gates in every sample: the depth path stays in the graph
            # and its parameters get zero gradients, as DDP needs.
            return torch.zeros_like(img_tokens), torch.zeros(
                batch, 1, 1, dtype=torch.bool, device=img_tokens.device
            )
        if has_depth is not None:
            if has_depth.shape != (batch,):
                raise ValueError(
                    f'has_depth must have shape ({batch},), got '
                    f'{tuple(has_depth.shape)}.'
                )
            has_depth = has_depth.bool()[:, None, None]
            # Before any operation: 0 * NaN is NaN, in gradients too.
            depth_tokens = torch.where(has_depth, depth_tokens, 0.0)
        if depth_grid is not None:
            _check_grid('depth tokens', depth_tokens, depth_grid)
            depth_tokens = _resample(depth_tokens, depth_grid, grid)
        if depth_tokens.shape != img_tokens.shape:
            raise ValueError(
                f'image tokens {tuple(img_tokens.shape)} and depth tokens '
                f'{tuple(depth_tokens.shape)} must have the same shape (B, N, '
                'C): the gate adds them elementwise. For another grid pass '
                '`depth_grid`, for another width change the embedding.'
            )
        return depth_tokens, has_depth

    def forward(
        self,
        img_tokens: Tensor | Sequence[Tensor] | RGBDFeatures,
        depth_tokens: Tensor | None = None,
        grid: tuple[int, int] | None = None,
        has_depth: Tensor | None = None,
        depth_grid: tuple[int, int] | None = None,
    ) -> Tensor | tuple[Tensor]:
        """Encode the tokens, or as a neck the feature maps, of a batch.

        Args:
            img_tokens: (B, N, C). As a neck the only argument: an
                :class:`~mmd2a.structures.RGBDFeatures`, or maps
                (B, C_i, h_i, w_i) of the image alone, one or a sequence.
            depth_tokens: (B, N, C); None: no sample has depth.
            grid: (h, w) of the image tokens; needed with tokens.
            has_depth: (B,), 0 or False where depth is missing; None: all
                samples have depth if there are depth tokens.
            depth_grid: grid of the depth tokens where it is not ``grid``;
                they are interpolated (bilinear) to the image's.

        Returns:
            z (B, N, C); as a neck (B, C, h, w), in a tuple if ``as_tuple``.
        """
        if self.patch_embedding is not None:
            return self._encode_maps(img_tokens)
        if grid is None or not isinstance(img_tokens, Tensor):
            raise TypeError(
                'DepthCrossAttentionEncoder takes tokens and their grid; for '
                'feature maps, as a neck, build it with in_channels=<channels'
                ' of the maps>'
            )
        return self._encode_tokens(
            img_tokens, depth_tokens, grid, has_depth, depth_grid
        )

    def _encode_maps(
        self, features: Tensor | Sequence[Tensor] | RGBDFeatures
    ) -> Tensor | tuple[Tensor]:
        """Embed feature maps, encode them and lay the tokens out again."""
        assert self.patch_embedding is not None
        if isinstance(features, RGBDFeatures) and not self.with_depth:
            raise ValueError(
                'this neck was built with `with_depth=False` but its backbone '
                'gives depth features; set it to True or use the image '
                'backbone alone.'
            )
        depth_tokens = depth_grid = None
        image, maps, has_depth = (
            features
            if isinstance(features, RGBDFeatures)
            else (features, None, None)
        )
        tokens, grid = self.patch_embedding(image)
        if self.depth_embedding is not None:
            if has_depth is None and torch.is_grad_enabled():
                # Nobody has depth; its embedding stays in the graph, too.
                has_depth = tokens.new_zeros(len(tokens))
                maps = tuple(
                    tokens.new_zeros(len(tokens), width, *grid)
                    for width in self.depth_embedding.in_channels
                )
            if has_depth is not None:
                depth_tokens, depth_grid = self.depth_embedding(maps)
        z = self._encode_tokens(
            tokens, depth_tokens, grid, has_depth, depth_grid
        )
        z = z.transpose(1, 2).unflatten(2, grid)
        return (z,) if self.as_tuple else z

    def _encode_tokens(
        self,
        img_tokens: Tensor,
        depth_tokens: Tensor | None,
        grid: tuple[int, int],
        has_depth: Tensor | None,
        depth_grid: tuple[int, int] | None,
    ) -> Tensor:
        """Tokens (B, N, C) in, z (B, N, C) out."""
        _check_grid('image tokens', img_tokens, grid)
        z_depth, has_depth = self._prepare_depth(
            img_tokens, depth_tokens, grid, has_depth, depth_grid
        )
        z = img_tokens
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
        return z


def _check_grid(name: str, tokens: Tensor, grid: tuple[int, int]) -> None:
    h, w = grid
    if tokens.ndim != 3 or tokens.shape[1] != h * w:
        raise ValueError(
            f'{name} {tuple(tokens.shape)} must be (B, N, C) with N = '
            f'{h * w} for a grid of {h} x {w}.'
        )


def _resample(
    tokens: Tensor, source: tuple[int, int], target: tuple[int, int]
) -> Tensor:
    """Interpolate tokens (B, N, C) bilinearly from one grid to another."""
    if tuple(source) == tuple(target):
        return tokens
    maps = tokens.transpose(1, 2).unflatten(2, tuple(source))
    maps = F.interpolate(
        maps, size=tuple(target), mode='bilinear', align_corners=False
    )
    return maps.flatten(2).transpose(1, 2)
