"""The labels of a shard: read whole and checked, or refused."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmd2a.body_models.joint_sets import joint_names
from mmd2a.files import UnusableFileError, read_npz
from mmd2a.people.person import JOINT_SETS

__all__ = ['read_shard_labels']

_FIX = 'delete the folder of the shard; it is made again when it is needed'
# Labels of one person take a few kilobytes.
_MAX_BYTES_PER_PERSON = 2**15
# Shape of one person's, and kinds of NumPy's types.
_LABELS: dict[str, tuple[tuple[int, ...], str]] = {
    'index': ((), 'iu'),
    'motion': ((), 'U'),
    'bbox': ((4,), 'f'),
    'K': ((3, 3), 'f'),
    'global_orient': ((3,), 'f'),
    'body_pose': ((69,), 'f'),
    'betas': ((10,), 'f'),
    'transl': ((3,), 'f'),
    'visible_fraction': ((), 'f'),
}
for _name in JOINT_SETS:
    _joints = joint_names(_name)
    _LABELS[f'keypoints2d_{_name}'] = ((len(_joints), 2), 'f')
    _LABELS[f'keypoints3d_{_name}'] = ((len(_joints), 3), 'f')
    _LABELS[f'visibility_{_name}'] = ((len(_joints),), 'iu')


def read_shard_labels(
    path: str | Path, indices: Sequence[int]
) -> dict[str, np.ndarray]:
    """Read the labels of a shard's people.

    S: people of the shard.

    Args:
        path: the shard's npz file.
        indices: numbers (S,) of the people that it has to hold, in order.

    Returns:
        dict[str, np.ndarray]: labels by name as in
        :class:`~mmd2a.people.person.Person`, with ``index`` and ``motion``;
        S first.

    Raises:
        UnusableFileError: it is damaged, of another version of the
            generator, or of other people: an array is missing or of another
            shape or type, a value is not finite, an index another.
    """
    limit = 2**20 + _MAX_BYTES_PER_PERSON * len(indices)
    labels = read_npz(path, list(_LABELS), limit)
    for name, (shape, kinds) in _LABELS.items():
        value = labels[name]
        expected = (len(indices), *shape)
        if value.shape != expected or value.dtype.kind not in kinds:
            raise UnusableFileError(
                f'{name} of the shard is {value.dtype} of shape '
                f'{value.shape}, expected shape {expected}',
                path,
                _FIX,
            )
        if value.dtype.kind == 'f' and not np.isfinite(value).all():
            raise UnusableFileError(
                f'{name} of the shard has values that are not finite',
                path,
                _FIX,
            )
    if labels['index'].tolist() != list(indices):
        raise UnusableFileError(
            f'the shard holds other people than {indices[0]} to {indices[-1]}',
            path,
            _FIX,
        )
    return labels
