"""The data set of synthetic people."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmd2a.body_models.joint_sets import joint_names
from mmd2a.datasets.body_dataset import BodyDataset
from mmd2a.datasets.errors import BadSampleError
from mmd2a.datasets.keypoint_metainfo import keypoint_metainfo
from mmd2a.datasets.synthetic_people.cache import ANNOTATIONS, Cache
from mmd2a.datasets.synthetic_people.generation import generate_people
from mmd2a.files import UnusableFileError
from mmd2a.people.person import JOINT_SETS
from mmd2a.registry import DATASETS

__all__ = ['SyntheticPeople']


@DATASETS.register_module()
class SyntheticPeople(BodyDataset):
    """Rendered people with every label, made when first asked for.

    The people of a split depend on ``seed`` alone: the first thousand are the
    same in a data set of a thousand and of a million, on one core and on
    many. They are kept in ``data_root`` and read from there afterwards.
    Everyday motions and sampled poses fill the splits 'train', 'val' and
    'test', each with people and ways of moving of its own; 'ood' holds
    acrobatics and pitching, motion blur and heavy occlusion.

    J: joints of the joint set. Entries have the keys of
    :class:`~mmd2a.datasets.BodyDataset`, and ``parts_path`` (body part of
    every pixel), ``keypoints2d_visibility`` (J,) (0 outside the image, 1
    hidden, 2 seen), ``motion`` and ``visible_fraction``. ``metainfo`` also
    describes the joint set as mmpose's metrics and visualisers want it.

    Args:
        data_root: folder for all splits; made if absent.
        split: 'train', 'val', 'test' or 'ood'.
        num_people: size of the data set.
        image_size: width and height, pixels.
        seed: another seed, other people.
        joint_set: joints of the keypoints: 'smpl24' (of the kinematic tree),
            'h36m14' or 'coco17' (regressed from the surface).
        num_workers: processes that make people; None takes all cores.
        shard_size: people made and written together.
        motions: the user's own motions: BVH (CMU names) or AMASS npz files,
            or folders of them. Half of the people then take their poses from
            there; 'ood' stays as it is.
        looks: 'plain'; 'photo' for clothes, rooms, light and cameras nearer
            to those of photos, of the same bodies in the same poses; 'mixed'
            for every other person so. Other looks, other files: the people of
            each are kept side by side.
        **kwargs: see :class:`~mmd2a.datasets.BodyDataset` (``pipeline``,
            ``test_mode``, ``indices`` ...).

    Example:
        >>> import tempfile
        >>> from mmengine.logging import MMLogger
        >>> MMLogger.get_current_instance().setLevel('WARNING')
        >>> people = SyntheticPeople(tempfile.mkdtemp(), num_people=2,
        ...                          image_size=64, shard_size=2,
        ...                          num_workers=1)
        >>> people.get_data_info(1)['keypoints3d'].shape
        (14, 3)
    """

    def __init__(
        self,
        data_root: str = 'data/synthetic_people',
        split: str = 'train',
        num_people: int = 1000,
        image_size: int = 256,
        seed: int = 0,
        joint_set: str = 'h36m14',
        num_workers: int | None = None,
        shard_size: int = 100,
        motions: str | Sequence[str] | None = None,
        metainfo: dict | None = None,
        looks: str = 'plain',
        **kwargs,
    ) -> None:
        if joint_set not in JOINT_SETS:
            raise ValueError(
                f'joint_set must be one of '
                f'{", ".join(JOINT_SETS)}, not {joint_set!r}'
            )
        if num_people < 1:
            raise ValueError(f'num_people must be positive, not {num_people}')
        motions = [motions] if isinstance(motions, str) else motions or ()
        self.num_people = num_people
        self.joint_set = joint_set
        self.cache = Cache(
            str(data_root),
            split,
            image_size,
            seed,
            shard_size,
            tuple(map(str, motions)),
            looks,
        )
        generate_people(self.cache, num_people, num_workers)
        super().__init__(data_root=str(data_root), metainfo=metainfo, **kwargs)
        # MMEngine would take these strings for names of files.
        self._metainfo.update(
            dataset_type='synthetic_people',
            split=split,
            joint_set=joint_set,
            joint_names=joint_names(joint_set),
            **keypoint_metainfo(joint_set),
        )

    def prepare_data(self, idx: int) -> dict | None:
        """Run the pipeline; tell people that are gone from a bad sample."""
        try:
            return super().prepare_data(idx)
        except BadSampleError as error:
            path = Path(self.get_data_info(idx)['img_path'])
            if (path.parent / ANNOTATIONS).exists():
                raise
            raise UnusableFileError(
                'the synthetic people were deleted while they were read',
                path.parent,
                'leave the folder alone and start again: what is missing is '
                'made',
            ) from error

    def load_data_list(self) -> list[dict]:
        """Read the annotations of the shards."""
        entries: list[dict] = []
        one = np.float32(1)
        for shard in self.cache.shards_for(self.num_people):
            labels = self.cache.read_annotations(shard)
            folder = self.cache.shard_folder(shard)
            joints = labels[f'keypoints3d_{self.joint_set}'].shape[1]
            weight = np.ones(joints, np.float32)
            for i, index in enumerate(labels['index']):
                stem = folder / f'{index:06d}'
                entries.append(
                    dict(
                        img_path=f'{stem}.jpg',
                        depth_path=f'{stem}_depth.npy',
                        mask_path=f'{stem}_mask.npy',
                        parts_path=f'{stem}_parts.png',
                        **{
                            name: labels[name][i]
                            for name in (
                                'bbox',
                                'K',
                                'global_orient',
                                'body_pose',
                                'betas',
                                'transl',
                            )
                        },
                        smpl_weight=one,
                        joint_set=self.joint_set,
                        **{
                            name: labels[f'{name}_{self.joint_set}'][i]
                            for name in ('keypoints2d', 'keypoints3d')
                        },
                        keypoints2d_weight=weight,
                        keypoints3d_weight=weight,
                        keypoints2d_visibility=labels[
                            f'visibility_{self.joint_set}'
                        ][i],
                        motion=str(labels['motion'][i]),
                        visible_fraction=float(labels['visible_fraction'][i]),
                    )
                )
        return entries[: self.num_people]
