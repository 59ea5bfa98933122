"""Evaluation by the datasets of MMHuman3D."""

import tempfile
from collections.abc import Sequence
from typing import Any

from mmengine.dist import get_world_size
from mmengine.evaluator import BaseMetric
from mmengine.registry import DATASETS as ROOT_DATASETS
from mmengine.utils import mkdir_or_exist

from mmd2a.registry import METRICS


@METRICS.register_module()
class MMHuman3DMetric(BaseMetric):
    """Report what the ``evaluate`` of an MMHuman3D dataset reports.

    Predictions of all ranks are brought together by the numbers of their
    samples, so that any number of ranks, with equally many samples or not,
    gives the same result (batches of another size round differently).

    Args:
        dataset: settings of the dataset, those of the data loader.
        metric: name or names that the dataset knows, e.g. ``'pa-mpjpe'``,
            ``'mpjpe'`` (mm), ``'pve'`` (mm), ``'3dpck'`` (%).
        res_folder: where the dataset leaves its result file; by default it
            is thrown away.
        collect_device: ``'cpu'`` through files or ``'gpu'`` through memory.
        collect_dir: folder for these files.
        prefix: put before the names of the metrics.
        **kwargs: more arguments of the dataset's ``evaluate``.

    Example:
        >>> val_evaluator = dict(
        ...     type='mmd2a.MMHuman3DMetric', metric=['mpjpe', 'pa-mpjpe'],
        ...     dataset=dict(type='mmhuman3d.HumanImageDataset'))
    """

    results: list

    def __init__(
        self,
        dataset: dict[str, Any],
        metric: str | list[str] = 'pa-mpjpe',
        res_folder: str | None = None,
        collect_device: str = 'cpu',
        collect_dir: str | None = None,
        prefix: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        self.dataset = ROOT_DATASETS.build(dataset)
        self.metric = metric
        self.res_folder = res_folder
        self.options = kwargs

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the predictions of a batch.

        Args:
            data_batch: the batch.
            data_samples: what ``MMHuman3DEstimator`` predicts.
        """
        self.results.extend(data_samples)

    def evaluate(self, size: int) -> dict:
        """Let the dataset evaluate what all ranks predicted.

        Args:
            size: number of samples; the dataset knows it better.
        """
        # One item per rank: MMEngine cuts the list of items to a length, and
        # ours are batches.
        self.results = [self.results]
        return super().evaluate(get_world_size())

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Metrics of all predictions, by the names the dataset gives them."""
        outputs = [batch for rank in results for batch in rank]
        if self.res_folder is not None:
            mkdir_or_exist(self.res_folder)
            return self._evaluate(outputs, self.res_folder)
        with tempfile.TemporaryDirectory() as folder:
            return self._evaluate(outputs, folder)

    def _evaluate(self, outputs: list, folder: str) -> dict[str, float]:
        metrics = self.dataset.evaluate(
            outputs, folder, metric=self.metric, **self.options
        )
        return {name: float(value) for name, value in metrics.items()}
