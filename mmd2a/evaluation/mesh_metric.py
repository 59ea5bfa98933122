"""Mesh errors under named protocols, as an MMEngine metric."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor

from mmd2a.body_models import build_body
from mmd2a.evaluation import functional
from mmd2a.evaluation.labelled_meshes import LabelledMeshes
from mmd2a.evaluation.protocol_joints import protocol_joints, regressor_hashes
from mmd2a.evaluation.protocols import Protocol, get_protocol
from mmd2a.evaluation.report import describe
from mmd2a.evaluation.sample_identity import sample_identity
from mmd2a.evaluation.sample_metric import SampleMetric
from mmd2a.files import write_json
from mmd2a.geometry import root_is_known, root_position, similarity_align
from mmd2a.registry import METRICS

__all__ = ['MeshMetric']

JOINT_ERRORS: Mapping[str, Callable[..., Tensor]] = {
    'MPJPE': functional.mpjpe,
    'MPJPE-z': functional.mpjpe_z,
}
ERRORS = ('MPJPE', 'PA-MPJPE', 'PVE', 'MPJPE-z', 'PA-MPJPE-z')


@METRICS.register_module()
class MeshMetric(SampleMetric):
    """Compare predicted meshes with the ground truth, in millimetres.

    B: batch, J: joints of the protocol, V: mesh vertices.

    Reads ``pred.vertices`` (V, 3) and ``gt`` of
    :class:`~mmd2a.structures.BodyDataSample`. The ground-truth mesh comes
    from the SMPL parameters in ``gt``; joints are regressed from both meshes
    with one regressor. A sample with ``smpl_weight`` 0 is compared with
    ``gt.keypoints3d``, each joint by its weight, where these are of the
    protocol's joint set; it has no PVE. A sample that a protocol can say
    nothing about (no mesh and no such joints, or no root joint) is skipped
    and counted. A protocol may be about some people only
    (``synthetic_h36m14_occluded``), so that they are told apart.

    For each protocol ``<name>`` the result holds ``<name>/MPJPE``,
    ``PA-MPJPE``, ``PVE``, ``MPJPE-z``, ``PA-MPJPE-z``: means over samples, mm,
    to two decimals; ``<name>/num_samples``, those with joint errors;
    ``<name>/num_meshes``, those with a PVE; ``<name>/num_skipped``. A mean
    over no sample is NaN, and so is one over a prediction that is not finite.

    Errors are computed in float64 and summed exactly, every sample once
    however samplers pad, so the digits printed do not depend on batch size,
    order or number of processes, as far as the predictions do not. A sample
    is known by ``sample_idx``, ``img_path``, ``bbox`` and ``entry_id`` (of
    :class:`~mmd2a.datasets.BodyDataset`; without it by its labels), so people
    of concatenated data sets stay apart.

    Shape components of the labels that the body does not have are left out,
    with a warning; those that the labels lack are 0.

    Args:
        body_model: config of the body that predictions are meshes of; the
            embedded ``mmd2a.SMPLBodyModel`` if not given.
        protocols: names, see :data:`mmd2a.evaluation.PROTOCOLS`, or
            :class:`Protocol` objects.
        gendered_body_models: configs of ground-truth bodies by gender,
            ``dict(male=..., female=...)``, for protocols that ask for them;
            samples then carry ``gender`` in their metainfo.
        outfile_prefix: write ``<outfile_prefix>.json`` with protocols,
            regressor hashes, results and the errors of every sample.
        collect_device: ``'cpu'`` or ``'gpu'``, where ranks exchange results.
        collect_dir: folder shared by all ranks for exchange on the CPU; a
            temporary one in the working directory if not given.

    Example:
        >>> metric = MeshMetric(protocols=('synthetic_h36m14',))
        >>> metric.protocols[0].root
        'mid_hip'
    """

    def __init__(
        self,
        body_model: dict | None = None,
        protocols: Sequence[str | Protocol] = ('synthetic_h36m14',),
        gendered_body_models: Mapping[str, dict] | None = None,
        outfile_prefix: str | None = None,
        collect_device: str = 'cpu',
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(
            collect_device=collect_device, collect_dir=collect_dir
        )
        if isinstance(protocols, (str, Protocol)):
            raise TypeError(
                f'protocols must be a sequence, pass ({protocols!r}, )'
            )
        self.protocols = tuple(
            p if isinstance(p, Protocol) else get_protocol(p)
            for p in protocols
        )
        names = [p.name for p in self.protocols]
        if len(set(names)) < len(names):
            raise ValueError(f'protocols must have different names: {names}')
        self.outfile_prefix = outfile_prefix
        # In float64, batch sizes leave no trace in mm.
        self.body_model = build_body(body_model).double()
        self.gendered_body_models = {
            gender: build_body(cfg).double()
            for gender, cfg in (gendered_body_models or {}).items()
        }
        self._check_protocols()
        self._size = 0
        gendered = any(p.gender == 'gendered' for p in self.protocols)
        self._labelled = LabelledMeshes(
            self.body_model, self.gendered_body_models if gendered else None
        )

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Append the errors of each sample, metres, as plain numbers."""
        records: list[dict] = [
            dict(id=sample_identity(sample), errors={})
            for sample in data_samples
        ]
        with torch.no_grad():
            pred_vertices = self._stack_predictions(data_samples)
            gt_vertices, has_mesh = self._labelled.pose(
                data_samples, pred_vertices.device
            )
            for protocol in self.protocols:
                asked = [protocol.is_about(each) for each in data_samples]
                if not any(asked):
                    continue
                errors = self._errors(
                    protocol,
                    pred_vertices,
                    gt_vertices,
                    has_mesh,
                    data_samples,
                )
                for i in (i for i, is_asked in enumerate(asked) if is_asked):
                    records[i]['errors'][protocol.name] = {
                        name: values[i] for name, values in errors.items()
                    }
        self.results.extend(records)

    def compute_metrics(self, results: list[list[dict]]) -> dict[str, float]:
        """Average the lists of all ranks, each sample once."""
        samples = self.unique(results)
        metrics: dict[str, float] = {}
        reports = []
        for protocol in self.protocols:
            errors = [
                r['errors'][protocol.name]
                for r in samples
                if protocol.name in r['errors']
            ]
            values = _summarize(errors)
            hashes = regressor_hashes(self.body_model, protocol)
            print_log(describe(protocol, hashes, values), 'current')
            metrics.update(
                {f'{protocol.name}/{k}': v for k, v in values.items()}
            )
            reports.append(
                dict(
                    protocol=asdict(protocol),
                    regressors=hashes,
                    unit='mm',
                    metrics=values,
                )
            )
        if self.outfile_prefix is not None:
            body = getattr(self.body_model, 'path', None) or 'embedded'
            write_json(
                f'{self.outfile_prefix}.json',
                dict(
                    body_model=body,
                    protocols=reports,
                    samples=[
                        dict(
                            img_path=r['id'][1],
                            sample_idx=r['id'][0],
                            errors_m=r['errors'],
                        )
                        for r in samples
                    ],
                ),
            )
        return metrics

    def _check_protocols(self) -> None:
        """Fail at construction rather than after hours of training."""
        for protocol in self.protocols:
            regressor_hashes(self.body_model, protocol)
            if protocol.gender == 'gendered' and not self.gendered_body_models:
                raise ValueError(
                    f'protocol {protocol.name!r} compares with gendered '
                    f'bodies; pass gendered_body_models=dict(male=dict('
                    f"type='mmd2a.SMPLBodyModel', path='SMPL_MALE.npz'), "
                    f'female=...)'
                )
        if len({p.gender for p in self.protocols}) > 1:
            raise ValueError(
                'protocols with neutral and with gendered bodies in one '
                'MeshMetric; use one metric for each'
            )

    def _stack_predictions(self, samples: Sequence[dict]) -> Tensor:
        """Return predicted vertices (B, V, 3), float64."""
        expected = (self.body_model.num_vertices, 3)
        for sample in samples:
            shape = tuple(sample['pred']['vertices'].shape)
            if shape != expected:
                name = sample_identity(sample)[:2]
                raise ValueError(
                    f'pred.vertices of sample {name} have shape '
                    f'{shape}, but the body_model of the metric has '
                    f'{expected[0]} vertices; give model and metric the same '
                    f'body_model'
                )
        vertices = torch.stack([s['pred']['vertices'] for s in samples])
        if vertices.device.type == 'mps':  # has no float64
            vertices = vertices.cpu()
        return vertices.double()

    def _errors(
        self,
        protocol: Protocol,
        pred_vertices: Tensor,
        gt_vertices: Tensor,
        has_mesh: Tensor,
        samples: Sequence[dict],
    ) -> dict[str, list[float | None]]:
        """Return errors per sample, metres; None where there is none."""
        body = self.body_model.to(pred_vertices.device)
        pred, pred_root = protocol_joints(body, protocol, pred_vertices)
        mesh, mesh_root = protocol_joints(body, protocol, gt_vertices)
        root = protocol.root_joints(body.joint_names(protocol.joint_set))

        target = mesh - mesh_root
        weight = has_mesh[:, None].to(mesh).repeat(1, mesh.shape[1])
        for i, sample in enumerate(samples):
            if protocol.target == 'keypoints3d' or not has_mesh[i]:
                target[i], weight[i] = _labelled_joints(
                    sample, protocol, root, mesh[i]
                )
        used = weight.sum(dim=1) > 0
        joints = pred - pred_root
        # Once for both: the errors are those of functional.pa_mpjpe and
        # pa_mpjpe_z.
        aligned = similarity_align(joints, target, weight)
        errors = {
            f'{prefix}{name}': _to_numbers(
                kernel(points, target, weight), used
            )
            for prefix, points in (('', joints), ('PA-', aligned))
            for name, kernel in JOINT_ERRORS.items()
        }

        if protocol.vertex_alignment == 'root':
            pred_vertices = pred_vertices - pred_root
            gt_vertices = gt_vertices - mesh_root
        errors['PVE'] = _to_numbers(
            functional.pve(pred_vertices, gt_vertices), has_mesh
        )
        return errors


def _labelled_joints(
    sample: dict,
    protocol: Protocol,
    root: tuple[int, ...] | None,
    like: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return root-relative labels (J, 3) and weights (J,), 0 if unusable."""
    nothing = torch.zeros_like(like), torch.zeros_like(like[:, 0])
    if root is None or sample.get('joint_set') != protocol.joint_set:
        return nothing
    joints = sample['gt']['keypoints3d'].to(like)
    weight = sample['gt']['keypoints3d_weight'].to(like)
    if not root_is_known(weight, root):
        return nothing
    return joints - root_position(joints, root), weight


def _to_numbers(values: Tensor, used: Tensor) -> list[float | None]:
    return [
        value if use else None
        for value, use in zip(values.tolist(), used.tolist())
    ]


def _summarize(errors: Sequence[dict[str, float | None]]) -> dict[str, float]:
    """Average per-sample errors in metres to millimetres."""
    columns = {
        name: [value for e in errors if (value := e[name]) is not None]
        for name in ERRORS
    }
    # fsum is exact: the result does not depend on the order of its terms.
    summary: dict[str, float] = {
        name: round(1000 * math.fsum(column) / len(column), 2)
        if column
        else math.nan
        for name, column in columns.items()
    }
    summary['num_samples'] = len(columns['MPJPE'])
    summary['num_meshes'] = len(columns['PVE'])
    summary['num_skipped'] = len(errors) - len(columns['MPJPE'])
    return summary
