"""Make rendered depth look like pseudo-depth."""
import numpy as np
from mmcv.transforms import BaseTransform

from mmd2a.depth import DepthDegradation, degrade_depth
from mmd2a.registry import TRANSFORMS


@TRANSFORMS.register_module()
class DegradeDepth(BaseTransform):
    """Degrade the exact depth of synthetic people.

    Args:
        level: size of all errors relative to the defaults of
            :class:`~mmd2a.depth.DepthDegradation`.
        prob: probability of degrading a sample.
        seed: None: random numbers come from NumPy's global state, as in any
            training transform. A number: they depend on it and on the
            ``sample_idx`` alone, so a test set is the same in every run and
            on any number of processes.
        **settings: fields of :class:`~mmd2a.depth.DepthDegradation`.
    """

    def __init__(self, level: float = 1., prob: float = 1.,
                 seed: int | None = None, **settings) -> None:
        self.level = level
        self.prob = prob
        self.seed = seed
        self.settings = DepthDegradation(**settings).at_level(level)

    def transform(self, results: dict) -> dict:
        """Change ``depth``, where the sample has it."""
        if 'depth' not in results:
            return results
        if self.seed is None:
            entropy = np.random.randint(0, 2**31, 2).tolist()
        else:
            entropy = [self.seed, results['sample_idx']]
        rng = np.random.Generator(np.random.SFC64(entropy))
        if rng.random() < self.prob:
            results['depth'] = degrade_depth(results['depth'], rng,
                                             self.settings)
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(level={self.level}, '
                f'prob={self.prob}, seed={self.seed})')
