"""Error kernels, named protocols and the metrics built on them."""

from mmd2a.evaluation.calibration_metric import CalibrationMetric
from mmd2a.evaluation.functional import (
    mpjpe,
    mpjpe_z,
    pa_mpjpe,
    pa_mpjpe_z,
    pve,
)
from mmd2a.evaluation.keypoints2d_metric import Keypoints2DMetric
from mmd2a.evaluation.mesh_metric import MeshMetric
from mmd2a.evaluation.protocols import PROTOCOLS, Protocol, get_protocol
from mmd2a.evaluation.sequence import acceleration_error, foot_slide, jitter
from mmd2a.evaluation.sequence_metric import SequenceMetric
from mmd2a.evaluation.view_metric import ViewMetric

__all__ = [
    'PROTOCOLS',
    'CalibrationMetric',
    'Keypoints2DMetric',
    'MeshMetric',
    'Protocol',
    'SequenceMetric',
    'ViewMetric',
    'acceleration_error',
    'foot_slide',
    'get_protocol',
    'jitter',
    'mpjpe',
    'mpjpe_z',
    'pa_mpjpe',
    'pa_mpjpe_z',
    'pve',
]
