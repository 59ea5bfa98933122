"""The meshes that labels describe."""

import logging
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from torch import Tensor

from mmd2a.body_models import SMPLBodyModel
from mmd2a.evaluation.sample_identity import sample_identity

__all__ = ['LabelledMeshes']

_PARAMETERS = ('global_orient', 'body_pose', 'betas')


class LabelledMeshes:
    """Pose the body that each sample's labels are of.

    B: batch, V: vertices, S: shape components.

    Args:
        body_model: body of all samples, or of those without a mesh.
        by_gender: bodies by the ``gender`` of a sample; empty: ``body_model``
            for all.
    """

    def __init__(
        self,
        body_model: SMPLBodyModel,
        by_gender: Mapping[str, SMPLBodyModel] | None = None,
    ) -> None:
        self.body_model = body_model
        self.by_gender = by_gender or {}
        self._told: set[int] = set()

    def pose(
        self, samples: Sequence[dict], device: torch.device
    ) -> tuple[Tensor, Tensor]:
        """Return meshes (B, V, 3), float64, and whether there is one (B,).

        Translations are left out: they cancel under root alignment. Shape
        components that a body does not have are left out with a warning,
        those that a label lacks are 0.

        Raises:
            ValueError: a sample of a gender without a body, or with a pose of
            another body.
        """
        labels = [sample['gt'] for sample in samples]
        has_mesh = (
            torch.stack([gt['smpl_weight'] for gt in labels]).to(device) > 0
        )
        known = has_mesh.tolist()
        bodies = [
            self._body_of(sample) if has else self.body_model
            for sample, has in zip(samples, known)
        ]
        vertices = torch.empty(
            len(samples),
            self.body_model.num_vertices,
            3,
            dtype=torch.float64,
            device=device,
        )
        for body in dict.fromkeys(bodies):
            rows = [i for i, other in enumerate(bodies) if other is body]
            parameters = {
                name: torch.stack(
                    [self._fit(samples[i], name, body) for i in rows]
                )
                .to(device)
                .double()
                .where(has_mesh[rows, None], 0.0)
                for name in _PARAMETERS
            }
            vertices[rows] = body.to(device)(**parameters).vertices
        return vertices, has_mesh

    def _body_of(self, sample: dict) -> SMPLBodyModel:
        if not self.by_gender:
            return self.body_model
        gender = sample.get('gender')
        if gender is None or gender not in self.by_gender:
            raise ValueError(
                f'sample {sample_identity(sample)[:2]} has gender {gender!r} '
                'in its metainfo, but gendered_body_models has '
                f'{", ".join(self.by_gender)}'
            )
        return self.by_gender[gender]

    def _fit(self, sample: dict, name: str, body: SMPLBodyModel) -> Tensor:
        gt = sample['gt']
        value, number = gt[name], body.num_betas
        if name == 'body_pose':
            return _pose_of(sample, value, body)
        if name != 'betas' or len(value) == number:
            return value
        if (
            len(value) not in self._told
            and value[number:].any()
            and gt['smpl_weight'] > 0
        ):
            self._told.add(len(value))
            print_log(
                f'labels have {len(value)} shape components, of which the '
                f'body of the metric takes the first {number}: give it '
                f'num_betas={len(value)}, if its file has so many',
                'current',
                logging.WARNING,
            )
        return F.pad(value, (0, number - len(value)))


def _pose_of(sample: dict, pose: Tensor, body: SMPLBodyModel) -> Tensor:
    number = 3 * body.num_body_joints
    if len(pose) == number:
        return pose
    if sample['gt']['smpl_weight'] > 0:
        raise ValueError(
            f'sample {sample_identity(sample)[:2]} has a body_pose of '
            f'{len(pose) // 3} joints, the body of the metric has '
            f'{body.num_body_joints}: give the metric the body that the '
            'labels are of'
        )
    return pose.new_zeros(number)
