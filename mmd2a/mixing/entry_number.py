"""A number for a person, where other toolboxes ask for one."""

from collections.abc import Mapping
from typing import Any


def entry_number(results: Mapping[str, Any]) -> int:
    """Number a sample so that those of concatenated data sets differ.

    Args:
        results: a sample with ``sample_idx``, and ``entry_id`` where it comes
            from a :class:`~mmd2a.datasets.BodyDataset`.

    Returns:
        ``sample_idx``, joined with 32 bits of ``entry_id``; below 2**53, which
        JSON readers keep exactly.

    Example:
        >>> entry_number(dict(sample_idx=3))
        3
        >>> entry_number(dict(sample_idx=3, entry_id='00000001ffffffff'))
        2097155
    """
    place = int(results['sample_idx'])
    entry = results.get('entry_id')
    return place if entry is None else (int(entry[:8], 16) << 21) + place
