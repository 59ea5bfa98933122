"""Encoders: tokens of image and depth, and what mixes them."""

from mmd2a.models.encoders.attention import MultiHeadAttention
from mmd2a.models.encoders.depth_branch import DepthBranch
from mmd2a.models.encoders.depth_cross_attention_block import (
    DepthCrossAttentionBlock,
)
from mmd2a.models.encoders.depth_cross_attention_encoder import (
    DepthCrossAttentionEncoder,
)
from mmd2a.models.encoders.gated_fusion import LearnableGatedFusion
from mmd2a.models.encoders.patch_embedding import PatchEmbedding
from mmd2a.models.encoders.positional_encoding import HybridPositionalEncoding
from mmd2a.models.encoders.token_masking import TokenMasking

__all__ = [
    'DepthBranch',
    'DepthCrossAttentionBlock',
    'DepthCrossAttentionEncoder',
    'HybridPositionalEncoding',
    'LearnableGatedFusion',
    'MultiHeadAttention',
    'PatchEmbedding',
    'TokenMasking',
]
