"""Make rendered depth look like pseudo-depth."""
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
        prob: probability of degrading a sample.
        **settings: fields of :class:`~mmd2a.depth.DepthDegradation`.
    """

    def __init__(self, level: float = 1., prob: float = 1.,
                 **settings) -> None:
        self.level = level
        self.prob = prob
        self.settings = DepthDegradation(**settings).at_level(level)

    def transform(self, results: dict) -> dict:
        """Change ``depth``, where the sample has it."""
        if 'depth' not in results:
            return results
        rng = draw_generator(results, type(self).__name__)
        if rng.random() < self.prob:
            results['depth'] = degrade_depth(results['depth'], rng,
                                             self.settings)
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(level={self.level}, '
                f'prob={self.prob})')
