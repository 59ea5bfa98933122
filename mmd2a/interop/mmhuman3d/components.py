"""What configs name of the bridge; importing this registers it."""

from mmd2a.interop.mmhuman3d.collate import mmhuman3d_collate
from mmd2a.interop.mmhuman3d.d2a_estimator import d2a_body_model_estimator
from mmd2a.interop.mmhuman3d.dataset import mmhuman3d_dataset
from mmd2a.interop.mmhuman3d.distributed import MMHuman3DDistributed
from mmd2a.interop.mmhuman3d.estimator import MMHuman3DEstimator
from mmd2a.interop.mmhuman3d.image_companions import (
    LoadDepthForMMHuman3D,
    WarpMaskForMMHuman3D,
)
from mmd2a.interop.mmhuman3d.metric import MMHuman3DMetric
from mmd2a.interop.mmhuman3d.optimizers import PerModuleOptimWrapperConstructor

__all__ = [
    'LoadDepthForMMHuman3D',
    'MMHuman3DDistributed',
    'MMHuman3DEstimator',
    'MMHuman3DMetric',
    'PerModuleOptimWrapperConstructor',
    'WarpMaskForMMHuman3D',
    'd2a_body_model_estimator',
    'mmhuman3d_collate',
    'mmhuman3d_dataset',
]
