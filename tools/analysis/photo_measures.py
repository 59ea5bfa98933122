"""What is measured on photographs of one instant from several sides.

N: pictures, in groups of one per camera, J: joints of the joint set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from photo_session import JOINT_SET, Camera
from torch import Tensor

from mmd2a.body_models import SMPLBodyModel
from mmd2a.body_models.joint_sets import joint_names
from mmd2a.evaluation import mpjpe, mpjpe_z, pa_mpjpe, pa_mpjpe_z
from mmd2a.geometry import root_is_known, root_position
from mmd2a.geometry.cameras import denormalize_keypoints2d
from mmd2a.structures import BodyDataSample

ERRORS = dict(
    [
        ('MPJPE', mpjpe),
        ('PA-MPJPE', pa_mpjpe),
        ('MPJPE-z', mpjpe_z),
        ('PA-MPJPE-z', pa_mpjpe_z),
    ]
)
PCK_AT = 0.2


@dataclass(frozen=True)
class Measured:
    """Numbers of a predictor.

    Args:
        mean: by name, over pictures; mm, or a share in [0, 1].
        samples: by name, per picture (N,), in the same units; NaN where
            nothing can be said.
    """

    mean: dict[str, float]
    samples: dict[str, NDArray[np.float64]]


def measure(
    samples: Sequence[BodyDataSample],
    body: SMPLBodyModel,
    root: Sequence[int],
    cameras: Sequence[Camera],
) -> Measured:
    """Measure predictions.

    - ``MPJPE``, ``PA-MPJPE``, ``MPJPE-z``, ``PA-MPJPE-z``: as
      :class:`mmd2a.evaluation.MeshMetric`, over the joints that the reference
      has, relative to the middle of the hips.
    - ``PCK@0.2``: share of joints that project closer to the reference than
      0.2 of the torso in the picture, left shoulder to right hip.
    - ``2-D``: distance of these, percent of the longer side of the box.
    - ``coverage-1``, ``coverage-2``: share of coordinates whose error is at
      most one (two) σ of the joint; 0.68 and 0.95 if σ is right and the
      residual Gaussian. σ of a joint is that of its vertices, as the
      regressor weights them.
    - ``cross-view``, ``PA-cross-view``: mean distance of joints that two
      cameras predict of one instant, turned into the room (aligned); needs no
      reference.
    """
    vertices = torch.stack([s.pred.vertices for s in samples])
    joints = body.regress_joints(vertices, JOINT_SET)
    joints = (joints - root_position(joints, root)).double()
    target, weight = _reference(samples, root)
    values = _errors(joints, target, weight)
    values.update(_in_the_picture(samples))
    if 'sigma' in samples[0].pred:
        sigma = torch.stack([s.pred.sigma for s in samples])
        sigma = body.regress_joints(
            sigma[..., None].expand(-1, -1, 3).contiguous(), JOINT_SET
        )
        away = (joints - target).abs() / sigma.double()
        counted = weight[..., None].expand_as(away)
        for number in (1, 2):
            values[f'coverage-{number}'] = _mean(away <= number, counted)
    values.update(_cross_view(joints, cameras))
    return _summary(values)


def measure_constant(
    samples: Sequence[BodyDataSample], joints: Tensor, root: Sequence[int]
) -> Measured:
    """Measure one pose (J, 3) as the answer to every picture."""
    target, weight = _reference(samples, root)
    return _summary(_errors(joints.expand_as(target), target, weight))


def table(model: Measured, constant: Measured) -> str:
    """Both in columns, and what the model gains on the constant."""
    rows = [f'{"":16s}{"model":>10s}{"mean pose":>12s}{"gain":>8s}']
    for name, value in model.mean.items():
        row = f'{name:16s}{value:10.3g}'
        if name in constant.mean:
            other = constant.mean[name]
            row += f'{other:12.3g}{100 * (1 - value / other):+7.1f}%'
        rows.append(row)
    return '\n'.join(rows)


def _reference(
    samples: Sequence[BodyDataSample], root: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Root-relative joints (N, J, 3) and weights (N, J), 0 without a root."""
    target = torch.stack([s.gt.keypoints3d for s in samples]).double()
    weight = torch.stack([s.gt.keypoints3d_weight for s in samples]).double()
    known = torch.stack([root_is_known(w, root) for w in weight])
    return target - root_position(target, root), weight * known[:, None]


def _errors(joints: Tensor, target: Tensor, weight: Tensor) -> dict:
    return {
        name: 1000 * error(joints, target, weight).numpy()
        for name, error in ERRORS.items()
    }


def _in_the_picture(samples: Sequence[BodyDataSample]) -> dict:
    """PCK and distance of joints that project into the crop."""
    names = joint_names(JOINT_SET)
    ends = [names.index(name) for name in ('left_shoulder', 'right_hip')]
    pck, away = [], []
    for sample in samples:
        height, width = sample.img_shape
        found, target = (
            denormalize_keypoints2d(fields.keypoints2d, (width, height))
            for fields in (sample.pred, sample.gt)
        )
        weight = sample.gt.keypoints2d_weight
        distance = (found - target).norm(dim=-1)
        torso = (target[ends[0]] - target[ends[1]]).norm()
        # Without its ends there is no torso to compare with.
        counted = weight * weight[ends].prod()
        pck.append(_mean((distance < PCK_AT * torso)[None], counted[None]))
        x1, y1, x2, y2 = sample.bbox
        scale = float(np.linalg.det(sample.crop_matrix[:, :2]) ** 0.5)
        side = scale * max(x2 - x1, y2 - y1)
        away.append(_mean(100 * distance[None] / side, weight[None]))
    return {'PCK@0.2': np.concatenate(pck), '2-D': np.concatenate(away)}


def _cross_view(joints: Tensor, cameras: Sequence[Camera]) -> dict:
    """Per picture, the mean distance to the others of its instant."""
    turns = torch.stack([torch.as_tensor(c.R) for c in cameras])
    of_instant = joints.unflatten(0, (-1, len(cameras)))
    in_room = of_instant @ turns  # x @ R is R^T x: from camera to room
    values = {}
    for name, error in (('cross-view', mpjpe), ('PA-cross-view', pa_mpjpe)):
        total = np.zeros(of_instant.shape[:2])
        for a, b in combinations(range(len(cameras)), 2):
            away = 1000 * error(in_room[:, a], in_room[:, b]).numpy()
            total[:, a] += away
            total[:, b] += away
        values[name] = total.reshape(-1) / (len(cameras) - 1)
    return values


def _mean(values: Tensor, weight: Tensor) -> NDArray[np.float64]:
    """Weighted mean per picture over all other axes; NaN without weight."""
    axes = tuple(range(1, values.ndim))
    values, weight = values.double(), weight.double()
    return ((values * weight).sum(axes) / weight.sum(axes)).numpy()


def _summary(values: dict) -> Measured:
    return Measured(
        {name: round(float(np.nanmean(v)), 3) for name, v in values.items()},
        values,
    )
