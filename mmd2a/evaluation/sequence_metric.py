"""Errors of motions over the sequences of a data set."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor

from mmd2a.body_models import joint_names
from mmd2a.evaluation.protocols import Protocol, get_protocol
from mmd2a.evaluation.sample_identity import sample_identity
from mmd2a.evaluation.sample_metric import SampleMetric
from mmd2a.evaluation.sequence import acceleration_error, jitter
from mmd2a.geometry import root_is_known, root_position
from mmd2a.registry import METRICS

__all__ = ['SequenceMetric']


@METRICS.register_module()
class SequenceMetric(SampleMetric):
    """Acceleration error and jitter of joints relative to their root.

    Samples carry ``sequence`` (the name of the video and of the person in it)
    and ``frame_number`` in their metainfo, which ``PackBodySample`` keeps
    where annotations have them; samples without are left out, and counted.
    They may come in any order, on any number of processes. Where a frame is
    missing, or a joint of it is not labelled, nothing is told of the frames
    around it.

    The result holds ``<protocol>/Accel``
    (:func:`~mmd2a.evaluation.acceleration_error`, mm/frame²),
    ``<protocol>/jitter`` and that of the labels, ``jitter-truth``
    (:func:`~mmd2a.evaluation.jitter`, 10 m/s³), means over frames;
    ``num_sequences``, ``num_frames`` and ``num_skipped``. A mean over nothing
    is NaN.

    J: joints of the protocol.

    Args:
        protocol: name, or a :class:`Protocol`: which joints and which root.
        fps: frames per second of the sequences.
        collect_device: ``'cpu'`` or ``'gpu'``, where ranks exchange results.
        collect_dir: folder shared by all ranks for exchange on the CPU.

    Raises:
        ValueError: the root of the protocol is not one of its joints.

    Example:
        >>> SequenceMetric('synthetic_h36m14', fps=30).protocol.root
        'mid_hip'
    """

    def __init__(
        self,
        protocol: str | Protocol = 'synthetic_h36m14',
        fps: float = 30.0,
        collect_device: str = 'cpu',
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(
            collect_device=collect_device, collect_dir=collect_dir
        )
        self.protocol = (
            protocol
            if isinstance(protocol, Protocol)
            else get_protocol(protocol)
        )
        self.fps = fps
        root = self.protocol.root_joints(joint_names(self.protocol.joint_set))
        if root is None:
            raise ValueError(
                f'protocol {self.protocol.name!r} has a root that is none of '
                'its joints: name one with a root among them, such as '
                "'synthetic_h36m14'"
            )
        self.root = root

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Take the joints of a batch.

        Args:
            data_batch: not used.
            data_samples: samples as dicts, with ``pred.keypoints3d`` (J, 3)
                and ``gt.keypoints3d`` (J, 3), ``gt.keypoints3d_weight`` (J,).

        Raises:
            ValueError: a sample of another joint set.
        """
        for sample in data_samples:
            if sample.get('joint_set') != self.protocol.joint_set:
                raise ValueError(
                    f'a sample has joint_set={sample.get("joint_set")!r}, but '
                    f'protocol {self.protocol.name!r} has '
                    f'{self.protocol.joint_set!r}'
                )
            record: dict[str, Any] = dict(
                id=sample_identity(sample), sequence=sample.get('sequence')
            )
            if record['sequence'] is not None:
                gt = sample['gt']
                weight = gt['keypoints3d_weight'].detach().cpu()
                known = bool((weight > 0).all()) and bool(
                    root_is_known(weight, self.root)
                )
                record.update(
                    frame=int(sample['frame_number']),
                    known=known,
                    pred=self._joints(sample['pred']),
                    target=self._joints(gt),
                )
            self.results.append(record)

    def compute_metrics(self, results: list[list[dict]]) -> dict[str, float]:
        """Average over the frames of all sequences."""
        samples = self.unique(results)
        sequences = defaultdict(list)
        for record in samples:
            if record['sequence'] is not None:
                sequences[record['sequence']].append(record)
        values: dict[str, list[float]] = {
            name: [] for name in ('Accel', 'jitter', 'jitter-truth')
        }
        for _, records in sorted(sequences.items()):
            pred, target, valid = _in_order(records)
            error = acceleration_error(pred, target, valid=valid)
            values['Accel'] += error.tolist()
            values['jitter'] += jitter(pred, self.fps, valid).tolist()
            values['jitter-truth'] += jitter(target, self.fps, valid).tolist()
        metrics: dict[str, float] = {
            # fsum is exact: the order of its terms leaves no trace.
            name: round(math.fsum(each) / len(each), 2) if each else math.nan
            for name, each in values.items()
        }
        used = sum(map(len, sequences.values()))
        metrics['num_sequences'] = len(sequences)
        metrics['num_frames'] = used
        metrics['num_skipped'] = len(samples) - used
        print_log(
            f'{self.protocol.name}: Accel {metrics["Accel"]:.2f} mm/frame², '
            f'jitter {metrics["jitter"]:.2f}, of the labels '
            f'{metrics["jitter-truth"]:.2f} (10 m/s³ at {self.fps:g} frames '
            f'per second), {used} frames of {len(sequences)} sequences',
            'current',
        )
        return {f'{self.protocol.name}/{k}': v for k, v in metrics.items()}

    def _joints(self, fields: Any) -> list[list[float]]:
        """Joints (J, 3) relative to their root, as plain numbers."""
        joints = fields['keypoints3d'].detach().cpu().double()
        return (joints - root_position(joints, self.root)).tolist()


def _in_order(records: Sequence[dict]) -> tuple[Tensor, Tensor, Tensor]:
    """Joints (T, J, 3) of a sequence and whether a frame counts (T,).

    Frames that are missing are zeros that do not count.
    """
    first = min(record['frame'] for record in records)
    last = max(record['frame'] for record in records)
    shape = (last - first + 1, len(records[0]['pred']), 3)
    pred = torch.zeros(shape, dtype=torch.float64)
    target, valid = torch.zeros_like(pred), torch.zeros(shape[0]) > 0
    for record in records:
        place = record['frame'] - first
        pred[place] = torch.tensor(record['pred'], dtype=torch.float64)
        target[place] = torch.tensor(record['target'], dtype=torch.float64)
        valid[place] = record['known']
    return pred, target, valid
