"""How far projected and localised joints are off in the image."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor

from mmd2a.evaluation.sample_identity import sample_identity
from mmd2a.evaluation.sample_metric import SampleMetric
from mmd2a.registry import METRICS

__all__ = ['Keypoints2DMetric']

# Of COCO: 0 not labelled, 1 labelled but not visible, 2 visible.
_VISIBLE = 2
# pred field -> what its errors are called.
_PREDICTIONS = dict(keypoints2d='projected', keypoints2d_localized='localized')


@METRICS.register_module()
class Keypoints2DMetric(SampleMetric):
    r"""Compare joints in the image, visible and hidden ones apart.

    .. math:: e_j = \tfrac{P}{2} \lVert \hat u_j - u_j \rVert_2

    in pixels of a crop of P by P, with :math:`u` in crop coordinates; P is a
    unit, whatever the crops of the model are. Joints whose label has weight 0
    do not count. Visible are those that the data set calls visible
    (``keypoints2d_visibility`` 2, as in COCO) and that lie in the crop; where
    it says nothing, all in the crop. The others are hidden.

    The result holds, for the projected mesh (``projected``) and, if the model
    has a localizer, for its heat maps (``localized``): ``2d/<what>-visible``
    and ``2d/<what>-hidden``, means over joints, ``2d/<what>-median``, the
    median over visible joints; and the numbers of joints ``2d/num_visible``
    and ``2d/num_hidden``. A mean over none is NaN.

    J: joints.

    Args:
        pixels: side P of the crop that a pixel is of.
        collect_device: ``'cpu'`` or ``'gpu'``, where ranks exchange results.
        collect_dir: folder shared by all ranks for exchange on the CPU.

    Example:
        >>> metric = Keypoints2DMetric()
        >>> sample = dict(
        ...     sample_idx=0, entry_id='a', keypoints2d_visibility=[2, 1],
        ...     gt=dict(keypoints2d=torch.zeros(2, 2),
        ...             keypoints2d_weight=torch.ones(2)),
        ...     pred=dict(keypoints2d=torch.full((2, 2), 0.1)))
        >>> metric.process({}, [sample])
        >>> round(metric.evaluate(1)['2d/projected-visible'], 2)
        6.79
    """

    def __init__(
        self,
        pixels: float = 96.0,
        collect_device: str = 'cpu',
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(
            collect_device=collect_device, collect_dir=collect_dir
        )
        self.pixels = pixels

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Take the joints of a batch.

        Args:
            data_batch: not used.
            data_samples: samples as dicts, with ``gt.keypoints2d`` (J, 2),
                ``gt.keypoints2d_weight`` (J,) and ``pred.keypoints2d`` (J, 2),
                perhaps ``pred.keypoints2d_localized``.
        """
        for sample in data_samples:
            gt, pred = sample['gt'], sample['pred']
            target = gt['keypoints2d'].detach().cpu().double()
            known = gt['keypoints2d_weight'].detach().cpu() > 0
            record: dict[str, Any] = dict(id=sample_identity(sample))
            record['visible'] = _visible(sample, target)[known].tolist()
            for field, name in _PREDICTIONS.items():
                if field in pred:
                    error = pred[field].detach().cpu().double() - target
                    error = error.norm(dim=-1)[known] * self.pixels / 2
                    record[name] = error.tolist()
            self.results.append(record)

    def compute_metrics(self, results: list[list[dict]]) -> dict[str, float]:
        """Average over the joints of all ranks."""
        records = self.unique(results)
        visible = _join(records, 'visible').bool()
        metrics: dict[str, float] = {}
        for name in _PREDICTIONS.values():
            if not records or not all(name in r for r in records):
                continue
            errors = _join(records, name)
            seen = errors[visible]
            metrics[f'2d/{name}-visible'] = float(seen.mean())
            metrics[f'2d/{name}-hidden'] = float(errors[~visible].mean())
            metrics[f'2d/{name}-median'] = (
                float(seen.quantile(0.5)) if len(seen) else float('nan')
            )
        metrics['2d/num_visible'] = int(visible.sum())
        metrics['2d/num_hidden'] = int((~visible).sum())
        numbers = ', '.join(
            f'{key.removeprefix("2d/")} {value:.2f}'
            for key, value in metrics.items()
            if 'num' not in key
        )
        print_log(
            f'2-D joints: {numbers} pixels of a crop of {self.pixels:g}, '
            f'{metrics["2d/num_visible"]} visible, '
            f'{metrics["2d/num_hidden"]} hidden',
            'current',
        )
        return metrics


def _visible(sample: dict, target: Tensor) -> Tensor:
    """Which joints (J,) can be seen in the crop."""
    inside = target.abs().amax(-1) < 1
    visibility = sample.get('keypoints2d_visibility')
    if visibility is None:
        return inside
    return inside & (torch.as_tensor(visibility) == _VISIBLE)


def _join(records: Sequence[dict], name: str) -> Tensor:
    """Numbers of all joints of all records, in one row."""
    return torch.tensor(
        [value for record in records for value in record[name]],
        dtype=torch.float64,
    )
