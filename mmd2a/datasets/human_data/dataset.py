"""The data set of a file of HumanData."""

import hashlib
import os.path as osp
from collections.abc import Sequence
from typing import Any

import numpy as np

from mmd2a.datasets.annotations import require_inside
from mmd2a.datasets.body_dataset import BodyDataset
from mmd2a.datasets.human_data.keypoints import KeypointColumn
from mmd2a.datasets.human_data.labels import (
    GENDERS,
    check_boxes,
    gender_column,
    smpl_columns,
    warn_of_unused,
)
from mmd2a.datasets.human_data.store import HumanDataStore, open_human_data
from mmd2a.datasets.keypoint_metainfo import keypoint_metainfo
from mmd2a.files import UnusableFileError
from mmd2a.registry import DATASETS


@DATASETS.register_module()
class HumanDataDataset(BodyDataset):
    """People of a HumanData file, the annotations of MMHuman3D.

    J: joints of the joint set, S: shape components.

    The npz is read once, without running anything in it, into a store of
    memory-mapped columns (:class:`~mmd2a.datasets.HumanDataStore`); later
    starts, and all workers, take it from there. Entries are those of
    :class:`~mmd2a.datasets.BodyDataset`: ``img_path``, ``bbox`` xyxy,
    ``keypoints2d`` and ``keypoints3d`` with weights, the body parameters of
    ``smpl`` with ``smpl_weight`` (``has_smpl``, where the file says so), and
    ``gender``. Joints that the masks call absent weigh nothing; the
    confidence of the others is their weight. HumanData states no frame: what
    is in the file is taken for metres in the OpenCV camera frame, as
    MMHuman3D's converters write it. ``tools/data/show_samples.py --check``
    finds what is not.

    Parameters of SMPL-X are another body's; a file that has nothing else
    gives joints only, and a warning.

    Args:
        ann_file: ``.npz`` of ``HumanData.dump``, relative to ``data_root``.
        data_root: folder that relative paths start from.
        data_prefix: ``img_path``: folder of the pictures.
        joint_set: joints of the keypoints, or a union.
        approximate_joints: let joints a few centimetres beside stand in for
            absent ones, see :func:`~mmd2a.body_models.map_joints`.
        store_root: folder of stores; None: the user's cache.
        **kwargs: see :class:`~mmd2a.datasets.BodyDataset`.

    Raises:
        UnusableFileError: the file cannot be used; see
            :func:`~mmd2a.datasets.open_human_data`.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> np.savez(f'{folder}/people.npz', image_path=['a.jpg'],
        ...          bbox_xywh=[[10., 20, 30, 60, 1]])
        >>> people = HumanDataDataset('people.npz', folder,
        ...                           dict(img_path='photos'),
        ...                           store_root=folder)
        >>> people.get_data_info(0)['bbox'].tolist()
        [10.0, 20.0, 40.0, 80.0]

    MMHuman3D, "HumanData", docs/human_data.md.
    """

    store: HumanDataStore

    def __init__(
        self,
        ann_file: str = '',
        data_root: str = '',
        data_prefix: dict | None = None,
        joint_set: str = 'h36m14',
        approximate_joints: bool = False,
        store_root: str | None = None,
        metainfo: dict | None = None,
        **kwargs,
    ) -> None:
        described = keypoint_metainfo(joint_set)
        self.joint_set = joint_set
        self.approximate_joints = approximate_joints
        self.store_root = store_root
        kwargs['serialize_data'] = False  # Rows are numbers.
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix=data_prefix,
            metainfo=metainfo,
            **kwargs,
        )
        # MMEngine would take these strings for names of files.
        self._metainfo.update(
            dataset_type='human_data', joint_set=joint_set, **described
        )

    def load_data_list(self) -> np.ndarray:  # type: ignore[override]
        """Open the store; return the number of each row."""
        if not self.ann_file:
            raise UnusableFileError(
                'ann_file is not given',
                fix='name an npz of HumanData.dump in ann_file',
            )
        self.store = store = open_human_data(self.ann_file, self.store_root)
        self._points = {
            name: KeypointColumn(
                store, name, self.joint_set, self.approximate_joints
            )
            for name in ('keypoints2d', 'keypoints3d')
            if name in store.columns
        }
        # Names, not columns: a copy in another process maps the store again.
        self._smpl = smpl_columns(store, self.ann_file)
        self._genders = gender_column(store)
        check_boxes(store, self.ann_file)
        warn_of_unused(store, self.ann_file)
        return np.arange(len(store))

    def filter_data(self) -> np.ndarray:  # type: ignore[override]
        """Return all rows."""
        return self.data_list

    def get_data_info(self, idx: int) -> dict:
        """Give the entry at ``idx``; see :class:`BodyDataset`."""
        if not self._fully_initialized:
            self.full_init()
        idx = self._place(idx)
        row = int(self.data_list[idx])
        columns = self.store.columns
        info: dict[str, Any] = dict(
            img_path=self._path(str(columns['image_path'][row])),
            joint_set=self.joint_set,
            sample_idx=idx,
            entry_id=self._entry_id(row),
        )
        left, top, width, height = columns['bbox_xywh'][row, :4].tolist()
        info['bbox'] = np.array([left, top, left + width, top + height])
        for name, column in self._points.items():
            info[name], info[f'{name}_weight'] = column[row]
        for name in self._smpl:
            value = columns[f'smpl/{name}'][row]
            info[name] = value.astype(np.float64).reshape(-1)
        if self._smpl:
            has_smpl = columns.get('has_smpl')
            info['smpl_weight'] = (
                1.0 if has_smpl is None else float(has_smpl[row])
            )
        if self._genders is not None:
            gender = str(columns[self._genders][row])
            info['gender'] = GENDERS.get(gender, gender)
        return info

    def _path(self, path: str) -> str:
        if '..' in path:
            require_inside(dict(image_path=path), 'image_path')
        prefix = self.data_prefix.get('img_path') or ''
        return osp.join(prefix, path)

    def _entry_id(self, row: int) -> str:
        name = f'{self.store.digest}:{row}'.encode()
        return hashlib.blake2b(name, digest_size=8).hexdigest()

    def _get_unserialized_subset(
        self, indices: Sequence[int] | int
    ) -> np.ndarray:
        rows = np.asarray(self.data_list)
        if isinstance(indices, int):
            return rows[:indices] if indices >= 0 else rows[indices:]
        return rows[np.asarray(indices, np.int64)]
