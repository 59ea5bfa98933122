"""Is a person imagined from other sides, or only turned?"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from torch import Tensor

from mmd2a.body_models import build_body
from mmd2a.evaluation.functional import mpjpe, pa_mpjpe
from mmd2a.evaluation.labelled_meshes import LabelledMeshes
from mmd2a.evaluation.overlap import mask_iou
from mmd2a.evaluation.protocol_joints import protocol_joints, regressor_hashes
from mmd2a.evaluation.protocols import Protocol, get_protocol
from mmd2a.evaluation.report import describe_views
from mmd2a.evaluation.sample_identity import sample_identity
from mmd2a.evaluation.sample_metric import SampleMetric
from mmd2a.geometry import (
    crop_silhouettes,
    root_is_known,
    root_position,
    turn_into_view,
)
from mmd2a.registry import METRICS

__all__ = ['ViewMetric']

_DECODED = 'IoU-decoded'
NUMBERS = (
    'MPJPE',
    'MPJPE-rotated',
    'PA-MPJPE',
    'PA-MPJPE-rotated',
    'IoU',
    'IoU-rotated',
    _DECODED,
)


class _Views(NamedTuple):
    """What a model says of one person, float64.

    N: angles, V: vertices, (h, w): mask.

    Attributes:
        names: of the angles, N.
        yaw: (N,), radians.
        vertices: (N, V, 3), imagined.
        canonical: (V, 3), of the photograph.
        masks: (N, 1, h, w), decoded probabilities; None: there are none.
    """

    names: tuple[str, ...]
    yaw: Tensor
    vertices: Tensor
    canonical: Tensor
    masks: Tensor | None


@METRICS.register_module()
class ViewMetric(SampleMetric):
    """Compare imagined views with the labels turned, and with mere turning.

    Reads what :class:`~mmd2a.models.ImpHMR` predicts with
    ``model.views=[45, 90, ...]``: ``views_yaw`` (N,), ``views_vertices``
    (N, V, 3), ``views_mask`` (N, 1, h, w) if there is a decoder, beside
    ``vertices`` (V, 3) of the photograph. Seen from φ the labelled mesh is
    turned by −φ about the vertical through its root, as
    :meth:`MeshObjective.turned` has it in training. For each angle,
    ``views/<degrees>/`` and, over all of them, ``views/mean/`` the result
    holds

    - ``MPJPE``, ``PA-MPJPE``: of the imagined mesh, mm;
    - ``MPJPE-rotated``, ``PA-MPJPE-rotated``: of the mesh of the photograph,
      turned likewise. A turn keeps distances, so these are the same from all
      angles: those of the photograph;
    - ``IoU``, ``IoU-rotated``: of the silhouettes that both meshes draw, by
      the camera of the crop at the labelled root, with that of the labelled
      mesh. Where a model believes the person to be has no part in it;
    - ``IoU-decoded``: of the decoder's mask at 1/2, which stands where the
      model believes the person to be, so that it is not quite the race of the
      other two;

    means over samples, mm to two decimals and IoU to four; and
    ``views/num_samples``, ``views/num_silhouettes`` (with a known camera and
    root in the crop) and ``views/num_skipped`` (without a labelled mesh). A
    mean over no sample is NaN. A model whose rows equal their ``-rotated``
    ones has turned what it saw; what it imagined is the difference.

    Errors are computed in float64 and every sample counts once, as in
    :class:`MeshMetric`.

    N: angles, V: vertices.

    Args:
        body_model: config of the body that predictions are meshes of; the
            embedded one if not given.
        protocol: name, see :data:`mmd2a.evaluation.PROTOCOLS`, or
            :class:`Protocol`: joints and root. Of meshes and neutral bodies.
        collect_device: ``'cpu'`` or ``'gpu'``, where ranks exchange results.
        collect_dir: folder shared by all ranks for exchange on the CPU.

    Raises:
        ValueError: a protocol of labelled joints or gendered bodies; in
            :meth:`process` a prediction without views, of another body or not
            finite.

    ImpHMR (Cho et al., CVPR 2023, arXiv:2306.17651) shows views and does not
    measure them: this comparison is ours.

    Example:
        >>> test_evaluator = [
        ...     dict(type='mmd2a.MeshMetric'), dict(type='mmd2a.ViewMetric')]
        >>> METRICS.build(test_evaluator[1]).protocol.root
        'mid_hip'
    """

    default_prefix = 'views'

    def __init__(
        self,
        body_model: dict | None = None,
        protocol: str | Protocol = 'synthetic_h36m14',
        collect_device: str = 'cpu',
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(
            collect_device=collect_device, collect_dir=collect_dir
        )
        if not isinstance(protocol, Protocol):
            protocol = get_protocol(protocol)
        if (protocol.target, protocol.gender) != ('mesh', 'neutral'):
            raise ValueError(
                f'protocol {protocol.name!r} is of target={protocol.target!r} '
                f'and {protocol.gender} bodies, but ViewMetric turns meshes '
                'of one neutral body; pass a Protocol(..., target="mesh", '
                'gender="neutral")'
            )
        self.protocol = protocol
        self.body_model = build_body(body_model).double()
        self._hashes = regressor_hashes(self.body_model, protocol)
        names = self.body_model.joint_names(protocol.joint_set)
        self._root_ids = protocol.root_joints(names)
        self._labelled = LabelledMeshes(self.body_model)
        self._size = 0

    @torch.no_grad()
    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Append the errors of each sample and view, as plain numbers."""
        # Silhouettes are drawn there, too.
        cpu = torch.device('cpu')
        meshes, has_mesh = self._labelled.pose(data_samples, cpu)
        for sample, mesh, has in zip(data_samples, meshes, has_mesh.tolist()):
            if not self.protocol.is_about(sample):
                continue
            views = self._views(sample)
            if self.results and self.results[-1]['names'] != views.names:
                raise ValueError(
                    f'sample {sample_identity(sample)[:2]} is seen from '
                    f'{views.names}, others from {self.results[-1]["names"]}; '
                    'a mean needs the same angles for all'
                )
            errors = self._errors(sample, views, mesh) if has else {}
            self.results.append(
                dict(id=sample_identity(sample), names=views.names, **errors)
            )

    def compute_metrics(self, results: list[list[dict]]) -> dict[str, float]:
        """Average the lists of all ranks, each sample once."""
        samples = self.unique(results)
        used = [record for record in samples if 'MPJPE' in record]
        names = samples[0]['names'] if samples else ()
        groups = {name: [k] for k, name in enumerate(names)}
        groups['mean'] = list(range(len(names)))
        told = [
            name
            for name in NUMBERS
            if name != _DECODED or any(name in record for record in used)
        ]
        views = {
            group: {name: _mean(used, name, ids) for name in told}
            for group, ids in groups.items()
        }
        counts = dict(
            num_samples=len(used),
            num_silhouettes=sum(
                any(value is not None for value in record['IoU'])
                for record in used
            ),
            num_skipped=len(samples) - len(used),
        )
        line = describe_views(self.protocol, self._hashes, views, counts)
        print_log(line, 'current')
        metrics: dict[str, float] = {
            f'{view}/{name}': value
            for view, numbers in views.items()
            for name, value in numbers.items()
        }
        return metrics | counts

    def _views(self, sample: dict) -> _Views:
        """The predictions of a sample, after a look at whether they fit."""
        who, pred = sample_identity(sample)[:2], sample['pred']
        for name in ('vertices', 'views_yaw', 'views_vertices'):
            if name not in pred:
                raise ValueError(
                    f'pred of sample {who} has no {name}, which ViewMetric '
                    'judges; let ImpHMR imagine, model.views=[45, 90], or '
                    'take the metric out'
                )
        count, mesh = pred['views_yaw'].numel(), self.body_model.num_vertices
        shapes: dict[str, tuple[int, ...]] = dict(
            views_yaw=(count,),
            vertices=(mesh, 3),
            views_vertices=(count, mesh, 3),
        )
        if 'views_mask' in pred:
            size = tuple(pred['views_mask'].shape[-2:])
            shapes['views_mask'] = (count, 1, *size)
        values: dict[str, Tensor] = {}
        for name, shape in shapes.items():
            value = values[name] = pred[name].detach().cpu().double()
            if value.shape != shape:
                raise ValueError(
                    f'pred.{name} of sample {who} has shape '
                    f'{tuple(value.shape)}, not {shape}: one for each of '
                    'views_yaw; give model and metric the same body_model'
                )
            if not value.isfinite().all():
                raise ValueError(
                    f'pred.{name} of sample {who} is not finite: look for '
                    'NaN or infinity in the weights and in the picture'
                )
        degrees = values['views_yaw'].rad2deg().tolist()
        return _Views(
            tuple(map(_name_of, degrees)),
            values['views_yaw'],
            values['views_vertices'],
            values['vertices'],
            values.get('views_mask'),
        )

    def _errors(
        self, sample: dict, views: _Views, mesh: Tensor
    ) -> dict[str, list[float | None]]:
        """Every number of each view, metres and shares; None: not known."""
        labelled, imagined, rotated = (
            self._rooted(mesh[None], views.yaw),
            self._rooted(views.vertices),
            self._rooted(views.canonical[None], views.yaw),
        )
        errors: dict[str, list[float | None]] = {}
        for suffix, (joints, _) in (('', imagined), ('-rotated', rotated)):
            for name, error in (('MPJPE', mpjpe), ('PA-MPJPE', pa_mpjpe)):
                values = error(joints, labelled[0])
                errors[f'{name}{suffix}'] = values.tolist()

        meshes = torch.stack([labelled[1], imagined[1], rotated[1]])
        truth, *drawn, known = self._silhouettes(sample, meshes)
        masks = dict(zip(('IoU', 'IoU-rotated'), drawn))
        if views.masks is not None:
            size = truth.shape[-2:]
            finer = F.interpolate(views.masks, size, mode='bilinear')
            masks[_DECODED] = finer[:, 0] > 0.5
        for name, mask in masks.items():
            errors[name] = [
                value if is_known else None
                for value, is_known in zip(
                    mask_iou(mask, truth).tolist(), known.tolist()
                )
            ]
        return errors

    def _rooted(
        self, vertices: Tensor, yaw: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Joints and meshes from their root, turned if an angle is given."""
        joints, root = protocol_joints(
            self.body_model, self.protocol, vertices
        )
        points = joints - root, vertices - root
        if yaw is None:
            return points
        return turn_into_view(points[0], yaw), turn_into_view(points[1], yaw)

    def _silhouettes(self, sample: dict, meshes: Tensor) -> list[Tensor]:
        """Masks (N, H, W) of each of (M, N, V, 3); which truth is known (N,).

        The first mesh is the labelled one.
        """
        gt, shape = sample['gt'], meshes.shape[:2]
        crop = tuple(gt['mask'].shape[-2:])
        place = self._place(sample)
        if place is None:
            nothing = torch.zeros(*shape, *crop, dtype=torch.bool)
            return [*nothing, nothing[0, :, 0, 0]]
        masks, drawn = crop_silhouettes(
            (meshes + place).flatten(0, 1),
            self.body_model.faces,
            gt['K'].cpu().double().expand(shape.numel(), 3, 3),
            crop,
            crop,
        )
        truth, *others = masks.unflatten(0, shape)
        known = drawn.unflatten(0, shape)[0] & truth.any(-1).any(-1)
        return [truth, *others, known]

    def _place(self, sample: dict) -> Tensor | None:
        """Where the labelled root is, (1, 3), camera frame; None: unknown."""
        gt, root = sample['gt'], self._root_ids
        if (
            root is None
            or sample.get('joint_set') != self.protocol.joint_set
            or not root_is_known(gt['keypoints3d_weight'].cpu(), root)
        ):
            return None
        return root_position(gt['keypoints3d'].cpu().double(), root)


def _name_of(degrees: float) -> str:
    """What an angle is called: 45 is '045', -90 '270', 22.5 '022.5'."""
    return f'{round(degrees, 2) % 360:06.2f}'.rstrip('0').rstrip('.')


def _mean(records: Sequence[dict], name: str, views: Sequence[int]) -> float:
    """Average a number over samples and views; mm, or a share."""
    values = [
        value
        for record in records
        if name in record
        for k in views
        if (value := record[name][k]) is not None
    ]
    if not values:
        return math.nan
    scale, digits = (1, 4) if name.startswith('IoU') else (1000, 2)
    return round(scale * math.fsum(values) / len(values), digits)
