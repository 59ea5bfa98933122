"""The base of this package's data sets: one entry is one person."""

import hashlib
import logging
import operator
import pickle
from typing import Any

from mmengine.dataset import BaseDataset
from mmengine.fileio import join_path
from mmengine.logging import print_log

from mmd2a.datasets.annotations import (
    check_entries,
    read_annotations,
    require_inside,
)
from mmd2a.datasets.errors import BadSampleError
from mmd2a.datasets.label_layouts import PATH_KEYS, check_entry
from mmd2a.files import UnusableFileError
from mmd2a.registry import DATASETS


@DATASETS.register_module()
class BodyDataset(BaseDataset):
    """People in images, with whatever labels each of them has.

    J: joints of the joint set, S: shape components.

    An entry of the data list holds ``img_path``,
    ``bbox`` (4,) xyxy pixels and ``joint_set``, and any of ``depth_path``,
    ``mask_path``, ``K`` (3, 3), ``global_orient`` (3,), ``body_pose`` (69,)
    or (63,) of SMPL-H and SMPL-X, ``betas`` (S,), ``transl`` (3,) with
    ``smpl_weight``, ``keypoints2d`` (J, 2) pixels with
    ``keypoints2d_weight`` (J,), ``keypoints3d`` (J, 3) metres in the OpenCV
    camera frame with ``keypoints3d_weight`` (J,), and ``gender`` for
    protocols with gendered bodies.
    Read as it is, the class takes MMEngine's annotation format (a JSON file
    with ``metainfo`` and ``data_list``), and other layouts of a label where
    they can mean one thing only
    (:func:`~mmd2a.datasets.label_layouts.arrange_labels`); nothing is
    unpickled. Subclasses override :meth:`load_data_list`.

    A transform reports an unusable sample by a
    :class:`~mmd2a.datasets.errors.BadSampleError`. In training the next
    usable sample takes its place and a warning counts it; in ``test_mode``
    the error is raised, since a number measured on fewer people than asked
    for is another number.

    Args:
        ann_file: annotation file; relative to ``data_root``.
        data_root: folder that relative paths start from.
        data_prefix: folder of each kind of file, joined with the entry's path
            where the entry has one.
        max_refetch: how many samples in a row may be bad before training
            stops with an error.
        **kwargs: see :class:`mmengine.dataset.BaseDataset`.
    """

    #: Bad samples named one by one before only round counts are reported.
    NUM_NAMED = 5

    def __init__(
        self,
        ann_file: str = '',
        data_root: str = '',
        data_prefix: dict | None = None,
        max_refetch: int = 100,
        **kwargs,
    ) -> None:
        self._bad_samples: dict[int, str] = {}
        if data_prefix is None:
            data_prefix = dict(img_path='', depth_path='', mask_path='')
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix=data_prefix,
            max_refetch=max_refetch,
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """Read and check ``ann_file``.

        Raises:
            UnusableFileError: naming the file, the entry and what to change.
        """
        metainfo, entries = read_annotations(self.ann_file)
        for key, value in metainfo.items():
            self._metainfo.setdefault(key, value)
        return check_entries(entries, self.ann_file, self._parse_checked)

    def _parse_checked(self, entry: Any) -> dict:
        entry = check_entry(entry)
        for key in PATH_KEYS:
            if entry.get(key) is not None:
                require_inside(entry, key)
        return self.parse_data_info(entry)

    @property
    def bad_samples(self) -> dict[int, str]:
        """Reason by index of the samples skipped so far in this process."""
        return dict(self._bad_samples)

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """Put the data prefixes in front of the paths an entry has."""
        for key, prefix in self.data_prefix.items():
            if raw_data_info.get(key) is not None:
                raw_data_info[key] = join_path(prefix, raw_data_info[key])
        return raw_data_info

    def filter_data(self) -> list[dict]:
        """Filter as MMEngine does; refuse what leaves nobody.

        Raises:
            UnusableFileError: naming the annotations.
        """
        people = super().filter_data()
        if not people:
            raise UnusableFileError(
                f'there are 0 people in {type(self).__name__}',
                self.ann_file or None,
                'name annotations of at least one person in ann_file',
            )
        return people

    def get_data_info(self, idx: int) -> dict:
        """Give a copy of the entry at ``idx``.

        ``sample_idx`` is its place in this data set. ``entry_id`` is a digest
        of what it holds: with it, people of different data sets stay apart
        where their places, pictures and boxes coincide.
        """
        idx = self._place(idx)
        info = super().get_data_info(idx)
        if self.serialize_data:
            start = self.data_address[idx - 1] if idx else 0
            entry = self.data_bytes[start : self.data_address[idx]].data
        else:
            entry = pickle.dumps(self.data_list[idx], protocol=4)
        info['entry_id'] = hashlib.blake2b(entry, digest_size=8).hexdigest()
        return info

    def prepare_data(self, idx: int) -> dict | None:
        """Run the pipeline, whose transforms may ask for the mode."""
        info = self.get_data_info(idx)
        info['test_mode'] = self.test_mode
        return self.pipeline(info)

    def __getitem__(self, idx: int) -> dict:
        """Give the packed sample at ``idx``, or its next usable neighbour.

        Raises:
            IndexError: ``idx`` is not in [-len, len).
        """
        if not self._fully_initialized:
            self.full_init()
        idx = self._place(idx)
        if self.test_mode:
            try:
                return self._prepare(idx)
            except BadSampleError as error:
                raise BadSampleError(
                    f'{self._name(idx)} cannot be used: {error}'
                ) from error

        # The neighbour is the next index, not a random one: which samples a
        # run sees then depends on the sampler's seed alone.
        tries = min(len(self), self.max_refetch + 1)
        for step in range(tries):
            neighbour = (idx + step) % len(self)
            try:
                return self._prepare(neighbour)
            except BadSampleError as error:
                self._count(neighbour, str(error))
        reasons = '\n'.join(
            f'  {self._name(i)}: {reason}'
            for i, reason in list(self._bad_samples.items())[: self.NUM_NAMED]
        )
        raise RuntimeError(
            f'{type(self).__name__}: {tries} samples in a row cannot be used '
            f'(from {self._name(idx)} on). The first reasons:\n{reasons}\n'
            'This points at the data set or the pipeline as a whole (paths, '
            'data_root, label format), not at single files.'
        )

    def _prepare(self, idx: int) -> dict:
        data = self.prepare_data(idx)
        if data is None:
            raise BadSampleError('the pipeline returned None')
        return data

    def _place(self, idx: int) -> int:
        """Count an index from the start, as lists do."""
        place, size = operator.index(idx), len(self)
        if not -size <= place < size:
            raise IndexError(
                f'sample {place} is asked for of a {type(self).__name__} '
                f'with {size} samples'
            )
        return place % size

    def _name(self, idx: int) -> str:
        return f'sample {idx} of {len(self)}'

    def _count(self, idx: int, reason: str) -> None:
        """Remember a bad sample; warn about the first and at powers of 2."""
        if idx in self._bad_samples:
            return
        self._bad_samples[idx] = reason
        count = len(self._bad_samples)
        if count <= self.NUM_NAMED or count & (count - 1) == 0:
            print_log(
                f'{type(self).__name__}: skipped {self._name(idx)}, '
                f'{count} bad so far in this process. {reason}',
                logger='current',
                level=logging.WARNING,
            )
