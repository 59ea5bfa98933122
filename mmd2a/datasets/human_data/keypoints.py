"""Keypoints of HumanData, whatever its convention, as those of a joint set."""

import numpy as np

from mmd2a.body_models.joint_places import nearby_place
from mmd2a.body_models.joint_sets import (
    JOINT_SETS,
    human_data_indices,
    joint_places,
    map_joints,
)
from mmd2a.datasets.human_data.store import HumanDataStore
from mmd2a.files import UnusableFileError

#: MMHuman3D's names of conventions, and the joint sets they are here.
CONVENTIONS = dict(
    human_data='human_data190',
    smpl='smpl24',
    smplh='smplh52',
    coco='coco17',
    coco_wholebody='coco133',
    lsp='lsp14',
    h36m='h36m17_spin',
    h36m_mmpose='h36m17',
    mpi_inf_3dhp='3dhp28',
    mpi_inf_3dhp_test='3dhp17',
    openpose_25='body25',
    mediapipe_body='blazepose33',
)


class KeypointColumn:
    """One column of keypoints, read in a joint set.

    J: joints of the set, D: dimensions.

    Args:
        store: of the data set.
        name: ``'keypoints2d'`` or ``'keypoints3d'``.
        joint_set: wanted.
        approximate: see :func:`~mmd2a.body_models.map_joints`.

    Raises:
        UnusableFileError: an unknown convention, another number of joints
            than it has, or none of the joints wanted.
    """

    def __init__(
        self,
        store: HumanDataStore,
        name: str,
        joint_set: str,
        approximate: bool = False,
    ) -> None:
        # Not the column: a copy in another process is to map it, not own it.
        self._store, self._name = store, name
        column = store.columns[name]
        source = _source(store, name)
        mask = _mask(store, name, len(JOINT_SETS[source]))
        self._dims = int(name[-2])
        compressed = bool(store.values.get('__keypoints_compressed__'))
        stored = int(mask.sum()) if compressed else len(mask)
        if column.ndim != 3 or column.shape[1:] not in (
            (stored, self._dims),
            (stored, self._dims + 1),
        ):
            raise UnusableFileError(
                f'{name} has shape {column.shape}, but '
                f'{name}_convention and {name}_mask mean (N, {stored}, '
                f'{self._dims + 1})',
                store.folder,
                'write the HumanData again with MMHuman3D',
            )
        places = np.cumsum(mask) - 1 if compressed else np.arange(len(mask))
        wanted = _wanted(source, joint_set, mask, approximate)
        known = wanted >= 0
        if not known.any():
            raise UnusableFileError(
                f'{name} and joint_set={joint_set!r} have no joint in common',
                store.folder,
                'give another joint_set, or approximate_joints=True',
            )
        self._places = np.where(known, places[wanted], 0)
        self._known = known.astype(np.float64)
        self._absent = None if known.all() else ~known

    def __getitem__(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Joints (J, D) and their weights (J,) of a person, float64."""
        stored = self._store.columns[self._name][row]
        points = stored.take(self._places, 0).astype(np.float64)
        weight = self._known
        if points.shape[1] > self._dims:
            weight = weight * points[:, self._dims]
            points = points[:, : self._dims]
        if self._absent is not None:  # Even where another's is NaN.
            points[self._absent] = 0
            weight = np.where(self._absent, 0.0, weight)
        return points, weight.copy()


def _source(store: HumanDataStore, name: str) -> str:
    convention = store.values.get(f'{name}_convention', 'human_data')
    if convention not in CONVENTIONS:
        raise UnusableFileError(
            f'{name} follow the convention {convention!r}; known are '
            f'{", ".join(CONVENTIONS)}',
            store.folder,
            "convert them with MMHuman3D's convert_kps(..., dst='human_data')",
        )
    return CONVENTIONS[convention]


def _mask(store: HumanDataStore, name: str, number: int) -> np.ndarray:
    mask = store.columns.get(f'{name}_mask', np.ones(number))
    if mask.shape != (number,) or not np.isin(mask, (0, 1)).all():
        raise UnusableFileError(
            f'{name}_mask has shape {mask.shape}, expected ({number},) of 0 '
            'and 1',
            store.folder,
            'write the HumanData again with MMHuman3D',
        )
    return np.asarray(mask, bool)


def _wanted(
    source: str, joint_set: str, mask: np.ndarray, approximate: bool
) -> np.ndarray:
    """Index of every wanted joint among those of the file, or -1."""
    indices = (
        human_data_indices(joint_set)
        if source == 'human_data190'
        else map_joints(source, joint_set)
    )
    wanted = np.array([i if i >= 0 and mask[i] else -1 for i in indices])
    if approximate:
        near: dict[str, int] = {}
        for place, i in zip(joint_places(source), range(len(mask))):
            if mask[i]:
                near.setdefault(nearby_place(place), i)
        for joint, place in enumerate(joint_places(joint_set)):
            if wanted[joint] < 0:
                wanted[joint] = near.get(nearby_place(place), -1)
    return wanted
