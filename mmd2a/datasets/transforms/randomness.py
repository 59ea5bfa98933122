"""Where the random numbers of all transforms come from."""

import zlib
from collections.abc import Mapping

import numpy as np


def draw_generator(results: Mapping, purpose: str) -> np.random.Generator:
    """Return a generator for one call of one transform.

    In training it is seeded from NumPy's global state: it is what MMEngine
    seeds, in every data loader worker too. In testing it depends on the
    sample and the purpose alone, so a test set is the same in every run, in
    any order and on any number of processes.

    Args:
        results: sample, with ``test_mode`` and ``sample_idx`` as
            :class:`~mmd2a.datasets.BodyDataset` sets them.
        purpose: name of the transform; others get other numbers.

    Example:
        >>> sample = dict(test_mode=True, sample_idx=7)
        >>> first = draw_generator(sample, 'DegradeDepth').random()
        >>> first == draw_generator(sample, 'DegradeDepth').random()
        True
    """
    if results.get('test_mode'):
        return np.random.default_rng(
            [int(results['sample_idx']), zlib.crc32(purpose.encode())]
        )
    entropy = np.random.randint(0, 2**31, 4)  # noqa: NPY002
    return np.random.default_rng(entropy.tolist())
