"""Pseudo-depth: what is done to it before a model sees it."""

from mmd2a.depth.degradation import (
    DepthDegradation,
    degrade_depth,
    relative_depth_error,
)
from mmd2a.depth.kinds import (
    DEPTH_KINDS,
    check_depth_kind,
    check_normalization,
    depth_of_kind,
)
from mmd2a.depth.missing import zero_missing_depth
from mmd2a.depth.normalization import metres_per_unit, normalize_depth
from mmd2a.depth.orientation import OrientationWatch, share_beside_farther
from mmd2a.depth.residual import depth_residual
from mmd2a.depth.sampling import sample_depth

__all__ = [
    'DEPTH_KINDS',
    'DepthDegradation',
    'OrientationWatch',
    'check_depth_kind',
    'check_normalization',
    'degrade_depth',
    'depth_of_kind',
    'depth_residual',
    'metres_per_unit',
    'normalize_depth',
    'relative_depth_error',
    'sample_depth',
    'share_beside_farther',
    'zero_missing_depth',
]
