"""One person's entry in the data format of mmpose."""

import numpy as np
from mmcv.transforms import BaseTransform

from mmd2a.datasets.keypoint_metainfo import keypoint_metainfo
from mmd2a.datasets.transforms.label_checks import check_box, clean_labels
from mmd2a.mixing.entry_number import entry_number
from mmd2a.registry import TRANSFORMS

_POSE_META = (
    'dataset_name',
    'upper_body_ids',
    'lower_body_ids',
    'flip_pairs',
    'flip_indices',
    'skeleton_links',
    'dataset_keypoint_weights',
)


@TRANSFORMS.register_module()
class PersonToKeypoints(BaseTransform):
    """Describe the person as mmpose's data sets describe an instance.

    K: joints of the sample's joint set. After it mmpose's own transforms take
    over, from ``GetBBoxCenterScale`` on, and its metrics and visualisers know
    all they ask for. Sets ``bbox`` (1, 4) xyxy and ``keypoints`` (1, K, 2) in
    pixels, ``bbox_score`` (1,), ``keypoints_visible`` (1, K), 1 where the
    joint is labelled and inside the image, hidden or not; ``num_keypoints``,
    ``id``, ``img_id``, ``category_id``, ``img_shape``; the same in COCO's
    format as ``raw_ann_info``, for ``CocoMetric`` without an annotation file;
    and what mmpose's data sets copy from their meta information into a
    sample (``flip_indices`` ...).

    Comes after ``mmd2a.LoadFrame``.

    Raises:
        BadSampleError: unusable box, or a label with positive weight that is
            not finite.

    Example:
        >>> sample = dict(
        ...     img=np.zeros((9, 9, 3), np.uint8), joint_set='coco17',
        ...     bbox=np.array([0, 0, 8, 8.]), keypoints2d=np.ones((17, 2)),
        ...     sample_idx=3)
        >>> PersonToKeypoints()(sample)['keypoints'].shape
        (1, 17, 2)
    """

    def transform(self, results: dict) -> dict:
        """Add the keys to ``results``."""
        shape = results['img'].shape[:2]
        box = check_box(results.get('bbox'), shape, results.get('img_path'))
        labels = clean_labels(results)
        points = labels['keypoints2d']
        if 'keypoints2d_visibility' in labels:
            visibility = labels['keypoints2d_visibility'].astype(int)
        else:
            inside = (points >= -0.5) & (points <= np.array(shape[::-1]) - 0.5)
            visibility = np.where(inside.all(1), 2, 0)
        # COCO's flags: 0 without label, 1 hidden, 2 seen.
        visibility = np.where(labels['keypoints2d_weight'] > 0, visibility, 0)
        identity = entry_number(results)
        meta = keypoint_metainfo(results['joint_set'])
        results.update({key: meta[key] for key in _POSE_META})
        results.update(
            bbox=box.astype(np.float32)[None],
            bbox_score=np.ones(1, np.float32),
            keypoints=points.astype(np.float32)[None],
            keypoints_visible=(visibility > 0).astype(np.float32)[None],
            num_keypoints=int((visibility > 0).sum()),
            id=identity,
            img_id=identity,
            category_id=1,
            img_shape=shape,
        )
        results['raw_ann_info'] = _coco_annotation(
            identity, box, points, visibility
        )
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


def _coco_annotation(
    identity: int, box: np.ndarray, points: np.ndarray, visibility: np.ndarray
) -> dict:
    """The person as COCO's annotation files have it."""
    width, height = box[2:] - box[:2]
    return dict(
        id=identity,
        image_id=identity,
        category_id=1,
        iscrowd=0,
        bbox=[*box[:2].tolist(), float(width), float(height)],
        # The mean share of a person's box that is person, as mmpose takes it
        # for data sets without masks.
        area=float(width * height * 0.53),
        num_keypoints=int((visibility > 0).sum()),
        keypoints=np.column_stack([points, visibility]).ravel().tolist(),
    )
