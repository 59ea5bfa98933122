"""Metrics that count every sample once, on any number of processes."""

import logging
from collections.abc import Sequence
from typing import Any

from mmengine.dist import get_world_size
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

__all__ = ['SampleMetric']


class SampleMetric(BaseMetric):
    """Base of metrics of single samples.

    ``process`` of a subclass adds one record per sample to ``results``, a
    dict with ``id`` from
    :func:`~mmd2a.evaluation.sample_identity.sample_identity`;
    ``compute_metrics`` gets the lists of all ranks, of which
    :meth:`unique` makes one list with every sample once, in the order of
    their identities: the same digits whatever the batch size, the sampler's
    padding and the number of processes.
    """

    # An empty prefix adds nothing and, unlike None, is not warned about.
    default_prefix = ''
    results: list[Any]

    def evaluate(self, size: int) -> dict:
        """Gather the samples of all ranks and compute the metrics.

        Args:
            size: number of samples in the data set.
        """
        self._size = size
        # Ranks exchange whole lists, one element each. MMEngine would
        # interleave single samples and cut the tail, which is right only if
        # the sampler went round-robin.
        self.results = [self.results]
        return super().evaluate(get_world_size())

    def unique(self, results: Sequence[Sequence[dict]]) -> list[dict]:
        """Join the records of all ranks, each sample once.

        Warns where they are not as many as the data set has.
        """
        samples: dict[tuple, dict] = {}
        for record in (r for part in results for r in part):
            samples.setdefault(record['id'], record)
        if len(samples) != self._size:
            print_log(
                f'{type(self).__name__} saw {len(samples)} different samples '
                f'where the data set has {self._size}',
                'current',
                logging.WARNING,
            )
        return [samples[key] for key in sorted(samples)]
