"""Make rendered depth look like pseudo-depth."""

import numpy as np
from mmcv.transforms import BaseTransform

from mmd2a.datasets.transforms.randomness import draw_generator
from mmd2a.depth import DepthDegradation, degrade_depth
from mmd2a.registry import TRANSFORMS


@TRANSFORMS.register_module()
class DegradeDepth(BaseTransform):
    """Degrade the exact depth of synthetic people.

    In testing the errors of a sample are the same in every run.

    Args:
        level: size of all errors relative to the defaults of
            :class:`~mmd2a.depth.DepthDegradation`.
        prob: probability of degrading a sample that keeps its depth.
        drop_prob: probability of losing the whole map (all NaN), so that a
            model meets people without depth in training.
        **settings: fields of :class:`~mmd2a.depth.DepthDegradation`.

    Raises:
        ValueError: the depth is not metric.
    """

    def __init__(
        self,
        level: float = 1.0,
        prob: float = 1.0,
        drop_prob: float = 0.0,
        **settings,
    ) -> None:
        self.level = level
        self.prob = prob
        self.drop_prob = drop_prob
        self.settings = DepthDegradation(**settings).at_level(level)

    def transform(self, results: dict) -> dict:
        """Change ``depth``, where the sample has it."""
        if 'depth' not in results:
            return results
        kind = results.get('depth_kind', 'metric')
        if kind != 'metric':
            raise ValueError(
                'DegradeDepth makes pseudo-depth of metric depth, but '
                f"LoadFrame gives depth_kind='{kind}': remove DegradeDepth, "
                'as that is pseudo-depth already'
            )
        rng = draw_generator(results, type(self).__name__)
        keep_prob = 1 - self.drop_prob
        draw = rng.random()
        if draw >= keep_prob:
            results['depth'] = np.full_like(results['depth'], np.nan)
        elif draw < keep_prob * self.prob:
            results['depth'] = degrade_depth(
                results['depth'], rng, self.settings
            )
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(level={self.level}, '
            f'prob={self.prob}, drop_prob={self.drop_prob})'
        )
