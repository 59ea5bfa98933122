"""Are the predicted sigmas right? As an MMEngine metric."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from mmd2a.body_models import joint_names
from mmd2a.evaluation import calibration as kernels
from mmd2a.evaluation.calibration_report import (
    METRIC_NAMES,
    JointErrors,
    judge,
)
from mmd2a.evaluation.conformal_bounds import (
    ConformalBounds,
    read_conformal_bounds,
)
from mmd2a.evaluation.sample_identity import sample_identity
from mmd2a.evaluation.sample_metric import SampleMetric
from mmd2a.files import write_json
from mmd2a.geometry import root_is_known, root_position
from mmd2a.registry import METRICS

__all__ = ['CalibrationMetric']


@METRICS.register_module()
class CalibrationMetric(SampleMetric):
    r"""Compare the predicted σ of joints with their errors.

    B: batch, J: joints of the set, D: axes, S: draws.

    Reads ``pred.keypoints3d`` (J, 3), ``pred.keypoints3d_sigma`` (J, 3), which
    :class:`~mmd2a.models.D2AHMR` gives with a flow head, and the labelled
    ``gt.keypoints3d``, both relative to ``root``; joints by their weight. With
    ``dims=2`` the 2-D ones, in crop coordinates. The result holds, over all
    axes of all known joints,

    - ``NLL``: nats per joint, in metres (crop coordinates);
    - ``ECE``: mean distance of the reliability curve from the diagonal;
      ``PIT-KS``: its largest distance;
    - ``coverage-1sigma``, ``-2sigma``, ``-3sigma``: share of errors within;
      68.3, 95.4, 99.7 % of a normal density;
    - ``temperature``: the factor on σ that makes these errors most likely;

    over joints,

    - ``conformal-coverage``: share of joints within the ellipsoid
      :math:`\lVert (x - \mu) / \sigma \rVert \le q_j`, whose size was set on
      *other* people for a share of ``level``; ``conformal-radius``: its mean
      radius (the geometric mean of its axes), mm;
    - ``Spearman-joint``: rank correlation of expected and true distance over
      people, mean over joints;

    and over people, whose error is the mean distance of their joints,

    - ``Spearman-image``: the same rank correlation;
    - ``AURC``: area under the risk-coverage curve, mm, beside its best,
      ``AURC-oracle``, and ``risk``, the error without refusing anybody;
    - ``min-of-S``: error of the best of S draws of the whole body, mm, where
      there are draws (``model.num_samples=S``);

    with ``num_samples`` and ``num_skipped``. Everything is NaN when a
    prediction is not finite.

    **Conformal bounds** come from people who are not judged by them: those of
    the validation set, where ``calibration`` names the json that this metric
    wrote there (``outfile_prefix``); without it the people are split in two
    halves, every other one, each judged by the bounds of the other.

    Args:
        joint_set: joints of the predictions.
        root: names of the joints whose mean is the origin in 3-D.
        dims: D, 3 or 2.
        distribution: shape the errors are judged by, ``'gaussian'`` or
            ``'laplace'``, for NLL, ECE, PIT and temperature.
        level: nominal share of the conformal bounds.
        calibration: json of this metric on the validation set.
        outfile_prefix: write ``<outfile_prefix>.json`` with results, curves
            and the bounds for ``calibration``.
        collect_device: ``'cpu'`` or ``'gpu'``, where ranks exchange results.
        collect_dir: folder shared by all ranks for exchange on the CPU.

    Raises:
        ValueError: a prediction without σ, in :meth:`process`.

    Example:
        >>> val_evaluator = [
        ...     dict(type='mmd2a.MeshMetric'),
        ...     dict(type='mmd2a.CalibrationMetric', outfile_prefix='val')]
        >>> METRICS.build(val_evaluator[1]).level
        0.9
    """

    default_prefix = 'calibration'

    def __init__(
        self,
        joint_set: str = 'h36m14',
        root: Sequence[str] = ('left_hip', 'right_hip'),
        dims: int = 3,
        distribution: str = 'gaussian',
        level: float = 0.9,
        calibration: str | Path | None = None,
        outfile_prefix: str | None = None,
        collect_device: str = 'cpu',
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(
            collect_device=collect_device, collect_dir=collect_dir
        )
        self.joint_names = joint_names(joint_set)
        missing = sorted({*root} - {*self.joint_names})
        if missing:
            raise ValueError(
                f'root={tuple(root)} must name joints of {joint_set!r}: '
                f'{", ".join(self.joint_names)}'
            )
        if dims not in (2, 3) or not 0 < level < 1:
            raise ValueError(
                f'dims is 2 or 3 and level between 0 and 1, got dims={dims!r} '
                f'and level={level!r}'
            )
        kernels.pit(torch.zeros(1), distribution)  # refuses what it is not
        self.joint_set, self.dims, self.level = joint_set, dims, level
        self.root_ids = [self.joint_names.index(name) for name in root]
        self.distribution = distribution
        self.outfile_prefix = outfile_prefix
        self.bounds: ConformalBounds | None = None
        if calibration is not None:
            self.bounds = read_conformal_bounds(
                calibration, joint_set, dims, level
            )

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Append errors, σ and weights of each sample, as float64 arrays."""
        self.results.extend(self._record(sample) for sample in data_samples)

    def _record(self, sample: dict) -> dict:
        key, pred = f'keypoints{self.dims}d', sample['pred']
        identity = sample_identity(sample)
        if f'{key}_sigma' not in pred:
            raise ValueError(
                f'pred of sample {identity[:2]} has no {key}_sigma, which '
                'CalibrationMetric judges; give the model a density, '
                f"model.flow_head=dict(type='mmd2a.RLEFlowHead', "
                f'dims={self.dims}), or take the metric out'
            )
        shape = (len(self.joint_names), self.dims)
        mean, sigma = (
            pred[name].detach().cpu().double()
            for name in (key, f'{key}_sigma')
        )
        if mean.shape != shape or sigma.shape != shape:
            raise ValueError(
                f'pred.{key} and its sigma of sample {identity[:2]} have '
                f'shapes {tuple(mean.shape)} and {tuple(sigma.shape)}, '
                f'{self.joint_set!r} has {shape}: give CalibrationMetric the '
                'joint_set of the model'
            )
        target, weight = self._labels(sample, shape)
        known = weight > 0
        best = draws = None
        if known.any() and f'{key}_samples' in pred:
            draws = len(pred[f'{key}_samples'])
            best = kernels.min_of_n(
                pred[f'{key}_samples'].detach().cpu(), target, weight
            ).item()
        return dict(
            id=identity,
            error=(mean - target).where(known[:, None], 0.0).numpy(),
            sigma=sigma.where(known[:, None], 1.0).numpy(),
            known=known.numpy(),
            best=best,
            draws=draws,
        )

    def _labels(
        self, sample: dict, shape: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Labelled joints (J, D), from the root in 3-D, and weights (J,)."""
        key, gt = f'keypoints{self.dims}d', sample['gt']
        if (
            sample.get('joint_set') not in (None, self.joint_set)
            or gt[key].shape != shape
        ):
            return torch.zeros(shape).double(), torch.zeros(shape[0])
        target = gt[key].detach().cpu().double()
        weight = gt[f'{key}_weight'].detach().cpu().double()
        if self.dims == 3:
            if not root_is_known(weight, self.root_ids):
                weight = torch.zeros_like(weight)
            target = target - root_position(target, self.root_ids)
        return target, weight

    def compute_metrics(self, results: list[list[dict]]) -> dict[str, float]:
        """Judge all people at once, each once."""
        samples = self.unique(results)
        used = [r for r in samples if r['known'].any()]
        metrics = dict.fromkeys(METRIC_NAMES, math.nan)
        curves: dict[str, Any] = {}
        if used:
            joints = JointErrors(
                *(
                    torch.from_numpy(np.stack([r[name] for r in used]))
                    for name in JointErrors._fields
                )
            )
            if joints.are_finite():
                metrics, curves = judge(
                    joints,
                    self.joint_names,
                    self._unit,
                    self.distribution,
                    self.level,
                    self.bounds,
                )
            best = [r['best'] for r in used if r['best'] is not None]
            if best:
                name = f'min-of-{used[0]["draws"]}'
                metrics[name] = self._unit * math.fsum(best) / len(best)
        metrics = {k: round(float(v), 4) for k, v in metrics.items()}
        metrics['num_samples'] = len(used)
        metrics['num_skipped'] = len(samples) - len(used)
        told = ', '.join(f'{k} {v}' for k, v in metrics.items())
        print_log(
            f'calibration of {self.joint_set} in {self.dims}-D, '
            f'{self.distribution}: {told}',
            'current',
        )
        if self.outfile_prefix is not None:
            write_json(
                f'{self.outfile_prefix}.json',
                dict(
                    joint_set=self.joint_set,
                    dims=self.dims,
                    distribution=self.distribution,
                    level=self.level,
                    unit='mm' if self.dims == 3 else 'crop coordinates',
                    bounds_of='validation' if self.bounds else 'other half',
                    metrics=metrics,
                    **curves,
                ),
            )
        return metrics

    @property
    def _unit(self) -> float:
        """Millimetres of 3-D errors; 2-D ones stay crop coordinates."""
        return 1000.0 if self.dims == 3 else 1.0
