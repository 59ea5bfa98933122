"""The last stop of every pipeline: arrays to tensors with fixed names."""

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import BaseDataElement
from torch import Tensor

from mmd2a.body_models.joint_sets import joint_names, map_joints, take_joints
from mmd2a.datasets.transforms.label_checks import clean_labels
from mmd2a.datasets.transforms.masks import as_mask
from mmd2a.geometry.cameras import normalize_keypoints2d
from mmd2a.registry import TRANSFORMS
from mmd2a.structures import BodyDataSample

# Zeros for labels that are absent; whoever stacks betas fits them to a body.
_SMPL_LENGTHS = dict(global_orient=3, body_pose=69, betas=10, transl=3)
# Grey levels of a mask file: 255 visible, 128 occluded, 0 background.
_MASK_THRESHOLDS = dict(visible=191, amodal=63)
_PER_JOINT = {
    'keypoints2d',
    'keypoints2d_weight',
    'keypoints2d_visibility',
    'keypoints3d',
    'keypoints3d_weight',
}
_META_KEYS = (
    'img_path',
    'sample_idx',
    'entry_id',
    'ori_shape',
    'img_shape',
    'crop_matrix',
    'bbox',
    'flip',
    'rotation',
    'joint_set',
    'gender',
    'depth_kind',
    'keypoints2d_visibility',
    'sequence',
    'frame_number',
)


@TRANSFORMS.register_module()
class PackBodySample(BaseTransform):
    """Pack a sample for the model.

    J: joints, S: shape components, H, W: crop size.

    Gives ``inputs`` with ``img`` (3, H, W) uint8 BGR and, if the pipeline
    loads depth, ``depth`` (1, H, W) float32, NaN where invalid; and
    ``data_samples``, a :class:`~mmd2a.structures.BodyDataSample` with every
    label field: what the sample does not have is zeros with weight 0, and no
    value is NaN. ``betas`` (S,) are as many as are labelled. ``smpl_weight``
    is 0 unless pose, shape and orientation are all there.

    Samples of several joint sets share a batch once they are packed for one
    ``joint_set``, that of the model: their joints are put in its places by
    name, and those a sample does not know are zeros with weight 0. A union
    (``'h36m14+coco17'``) holds all joints of several sets.

    Args:
        joint_set: the joint set of the model. None: the sample's own.
        approximate_joints: let a joint of another set stand in for one that
            is a few centimetres beside it, see
            :func:`~mmd2a.body_models.map_joints`.
        mask: ``'visible'`` (what the camera sees of the person) or
            ``'amodal'`` (occluded parts too).

    Raises:
        BadSampleError: a label with positive weight that is not finite or
            cannot be meant, or a mask that cannot be read.
        ValueError: no joint set, one that has no joint in common with
            ``joint_set``, or a label of another layout.
    """

    def __init__(
        self,
        joint_set: str | None = None,
        mask: str = 'visible',
        approximate_joints: bool = False,
    ) -> None:
        if mask not in _MASK_THRESHOLDS:
            raise ValueError(
                f"mask must be 'visible' or 'amodal', got {mask!r}"
            )
        self.joint_set = joint_set
        self.mask = mask
        self.approximate_joints = approximate_joints

    def transform(self, results: dict) -> dict:
        """Return the packed sample."""
        image = results['img']
        own = results.get('joint_set') or self.joint_set
        if own is None:
            raise ValueError(
                'the sample names no joint_set: add it to the '
                'annotations or set PackBodySample(joint_set=)'
            )
        results['joint_set'] = own
        labels = clean_labels(results)
        joint_set = self.joint_set or own
        if joint_set != own:
            self._to_joint_set(labels, own, joint_set)
        gt = dict(K=_tensor(results.get('K', np.zeros((3, 3)))))
        gt.update(self._smpl(labels))
        num_joints = len(joint_names(joint_set))
        gt.update(_keypoints(labels, 'keypoints2d', num_joints, 2))
        gt.update(_keypoints(labels, 'keypoints3d', num_joints, 3))
        known = (gt['keypoints2d_weight'] > 0)[:, None]
        gt['keypoints2d'] = torch.where(
            known,
            normalize_keypoints2d(gt['keypoints2d'], image.shape[1::-1]),
            0,
        )
        gt.update(self._mask(results.get('mask'), image.shape[:2]))

        inputs = dict(
            img=torch.from_numpy(
                np.ascontiguousarray(image.transpose(2, 0, 1))
            )
        )
        if 'depth' in results:
            inputs['depth'] = torch.from_numpy(
                np.ascontiguousarray(results['depth'], np.float32)
            )[None]
        meta = {key: results.get(key) for key in _META_KEYS}
        meta.update(joint_set=joint_set, img_shape=image.shape[:2])
        if meta['keypoints2d_visibility'] is not None:
            meta['keypoints2d_visibility'] = labels['keypoints2d_visibility']
        sample = BodyDataSample(metainfo=meta)
        sample.gt = BaseDataElement(**gt)
        return dict(inputs=inputs, data_samples=sample)

    def _to_joint_set(
        self, labels: dict[str, np.ndarray], own: str, joint_set: str
    ) -> None:
        """Put the labels of joints in the places of another set."""
        indices = map_joints(own, joint_set, self.approximate_joints)
        if max(indices) < 0:
            raise ValueError(
                f"the sample has joint_set='{own}', the pipeline packs "
                f"'{joint_set}', and they have no joint in common; give the "
                'model a union such as '
                f"joint_set='{joint_set}+{own}', or set "
                'PackBodySample(approximate_joints=True)'
            )
        for key in _PER_JOINT & labels.keys():
            labels[key] = take_joints(labels[key], indices)

    @staticmethod
    def _smpl(labels: dict[str, np.ndarray]) -> dict[str, Tensor]:
        complete = all(
            key in labels for key in ('global_orient', 'body_pose', 'betas')
        )
        fields = {
            key: _tensor(labels.get(key, np.zeros(length)))
            for key, length in _SMPL_LENGTHS.items()
        }
        fields['smpl_weight'] = _tensor(
            labels['smpl_weight'] if complete else 0.0
        )
        return fields

    def _mask(
        self, mask: np.ndarray | None, shape: tuple[int, int]
    ) -> dict[str, Tensor]:
        if mask is None:
            return dict(
                mask=torch.zeros(1, *shape), mask_weight=torch.tensor(0.0)
            )
        person = as_mask(mask) > _MASK_THRESHOLDS[self.mask]
        return dict(mask=_tensor(person)[None], mask_weight=torch.tensor(1.0))

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(joint_set={self.joint_set!r}, '
            f'mask={self.mask!r}, '
            f'approximate_joints={self.approximate_joints})'
        )


def _keypoints(
    labels: dict[str, np.ndarray], key: str, num_joints: int, dims: int
) -> dict[str, Tensor]:
    """Keypoints and their weights; zeros where the sample has none."""
    points = labels.get(key, np.zeros((num_joints, dims)))
    weight = labels[f'{key}_weight'] if key in labels else np.zeros(num_joints)
    return {key: _tensor(points), f'{key}_weight': _tensor(weight)}


def _tensor(value: np.ndarray | float) -> Tensor:
    return torch.from_numpy(np.array(value, np.float32))
