"""Tell people of a test from one another, and from themselves seen twice."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

__all__ = ['sample_identity']


def sample_identity(sample: Mapping[str, Any]) -> tuple[int, str, str]:
    """Name a sample, the same whenever and wherever it is met.

    Samplers pad, so one sample may come twice and must count once. Its place
    in the data set and its picture repeat where data sets are concatenated,
    so what it holds tells the rest.

    Args:
        sample: a data sample as metrics get it, with ``sample_idx``; and
            ``img_path``, ``bbox`` and ``entry_id`` where it has them. Without
            ``entry_id`` (of :class:`~mmd2a.datasets.BodyDataset`) its ``gt``
            counts.

    Returns:
        ``sample_idx``, ``img_path`` and what tells those apart that share
        both.

    Raises:
        KeyError: no ``sample_idx``.

    Example:
        >>> sample_identity(dict(sample_idx=3, img_path='a.jpg', bbox=[0, 4],
        ...                      entry_id='8d2e'))
        (3, 'a.jpg', '8d2e [0.0, 4.0]')
    """
    if 'sample_idx' not in sample:
        raise KeyError(
            'a data sample has no sample_idx in its metainfo, which tells '
            'padded samples from new ones; add it to the keys that the '
            'packing transform keeps'
        )
    content = sample.get('entry_id') or _digest(sample.get('gt', {}))
    box = sample.get('bbox')
    corners = np.asarray(() if box is None else box, np.float64).ravel()
    return (
        int(sample['sample_idx']),
        str(sample.get('img_path', '')),
        f'{content} {corners.tolist()}',
    )


def _digest(labels: Mapping[str, Any]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(labels):
        if isinstance(labels[name], Tensor):
            array = labels[name].detach().cpu().numpy()
            digest.update(f'{name} {array.shape}'.encode())
            digest.update(array.tobytes())
    return digest.hexdigest()
