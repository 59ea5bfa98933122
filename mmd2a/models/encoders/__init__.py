"""Encoders: tokens of image and depth, and what mixes them."""
from .attention import MultiHeadAttention
from .depth_branch import DepthBranch
from .depth_cross_attention import (
    DepthCrossAttentionBlock,
    DepthCrossAttentionEncoder,
)
from .gated_fusion import LearnableGatedFusion
from .patch_embedding import PatchEmbedding
from .positional_encoding import HybridPositionalEncoding
from .token_masking import TokenMasking

__all__ = [
    'DepthBranch', 'DepthCrossAttentionBlock', 'DepthCrossAttentionEncoder',
    'HybridPositionalEncoding', 'LearnableGatedFusion', 'MultiHeadAttention',
    'PatchEmbedding', 'TokenMasking'
]
