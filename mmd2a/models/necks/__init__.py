"""Necks: what goes between the backbone and the head of any model."""

from mmd2a.models.necks.depth_cross_attention_neck import (
    DepthCrossAttentionNeck,
)
from mmd2a.models.necks.feature_field_neck import FeatureFieldNeck

__all__ = ['DepthCrossAttentionNeck', 'FeatureFieldNeck']
