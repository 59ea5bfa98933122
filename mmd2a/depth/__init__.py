"""Pseudo-depth: what is done to it before a model sees it."""

from mmd2a.depth.degradation import (
    DepthDegradation,
    degrade_depth,
    relative_depth_error,
)
from mmd2a.depth.normalization import normalize_depth

__all__ = [
    'DepthDegradation',
    'degrade_depth',
    'normalize_depth',
    'relative_depth_error',
]
