"""Body parameters and genders of HumanData."""

import logging
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from mmd2a.datasets.human_data.store import HumanDataStore
from mmd2a.files import UnusableFileError

#: How genders are written, and how they are called here.
GENDERS = dict(m='male', f='female', n='neutral')
# Numbers per person; of shape as many as there are.
_SIZES = dict(global_orient=3, body_pose=69, betas=None, transl=3)


def smpl_columns(store: HumanDataStore, path: str | Path) -> list[str]:
    """Return what is known of ``smpl``, after a look at the sizes.

    Raises:
        UnusableFileError: as many numbers as SMPL's parameters do not have.
    """
    found = []
    for name, size in _SIZES.items():
        column = store.columns.get(f'smpl/{name}')
        if column is None:
            continue
        numbers = int(np.prod(column.shape[1:]))
        if len(column) != len(store) or size not in (None, numbers):
            raise UnusableFileError(
                f'its smpl/{name} has shape {column.shape}, expected '
                f'({len(store)}, {size or "S"})',
                path,
                'give axis times angle of the 23 joints as body_pose, and of '
                'the root as global_orient',
            )
        found.append(name)
    return found


def check_boxes(store: HumanDataStore, path: str | Path) -> None:
    """Check that everybody has a box: x, y, width, height.

    Raises:
        UnusableFileError: there are none.
    """
    boxes = store.columns.get('bbox_xywh')
    if boxes is None or boxes.shape[1:] not in ((4,), (5,)):
        raise UnusableFileError(
            'it has no bbox_xywh of shape (N, 4) or (N, 5)',
            path,
            'add the boxes, x, y, width and height in pixels',
        )


def gender_column(store: HumanDataStore) -> str | None:
    """Name the column of everybody's gender, if there is one."""
    for name in ('meta/gender', 'gender', 'smpl/gender'):
        column = store.columns.get(name)
        if column is not None and column.shape == (len(store),):
            return name
    return None


def warn_of_unused(store: HumanDataStore, path: str | Path) -> None:
    """Say which labels are there and not used."""
    bodies = sorted(
        {name.split('/')[0] for name in store.columns} & {'smplh', 'smplx'}
    )
    if bodies and not any(name.startswith('smpl/') for name in store.columns):
        print_log(
            f'{path} has parameters of {" and ".join(bodies)}, which are '
            'another body than SMPL: its people have joints only. Convert '
            "them to smpl (smplx's transfer_model does) to train on meshes.",
            logger='current',
            level=logging.WARNING,
        )
    if store.left_out:
        print_log(
            f'{path}: {", ".join(store.left_out[:8])} are neither arrays nor '
            'plain values, and are left out.',
            logger='current',
            level=logging.WARNING,
        )
