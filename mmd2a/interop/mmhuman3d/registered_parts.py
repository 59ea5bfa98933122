"""What configs name of the bridge; importing this registers it."""

from mmd2a.interop.mmhuman3d.d2a.d2a_estimator import d2a_body_model_estimator
from mmd2a.interop.mmhuman3d.d2a.depth_and_masks import (
    LoadDepthForMMHuman3D,
    WarpMaskForMMHuman3D,
)
from mmd2a.interop.mmhuman3d.running.collate import mmhuman3d_collate
from mmd2a.interop.mmhuman3d.running.dataset import mmhuman3d_dataset
from mmd2a.interop.mmhuman3d.running.distributed import MMHuman3DDistributed
from mmd2a.interop.mmhuman3d.running.estimator import MMHuman3DEstimator
from mmd2a.interop.mmhuman3d.running.mesh_estimator import (
    MMHuman3DMeshEstimator,
)
from mmd2a.interop.mmhuman3d.running.metric import MMHuman3DMetric
from mmd2a.interop.mmhuman3d.running.optimizers import (
    PerModuleOptimWrapperConstructor,
)
from mmd2a.interop.mmhuman3d.running.runner import MMHuman3DRunner

__all__ = [
    'LoadDepthForMMHuman3D',
    'MMHuman3DDistributed',
    'MMHuman3DEstimator',
    'MMHuman3DMeshEstimator',
    'MMHuman3DMetric',
    'MMHuman3DRunner',
    'PerModuleOptimWrapperConstructor',
    'WarpMaskForMMHuman3D',
    'd2a_body_model_estimator',
    'mmhuman3d_collate',
    'mmhuman3d_dataset',
]
