"""What mmpose wants to know about a joint set."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from mmd2a.body_models.joint_sets import flip_pairs, joint_names
from mmd2a.datasets.skeletons import skeleton_links

_LOWER_BODY = ('hip', 'knee', 'ankle', 'foot', 'pelvis')
_COLORS = dict(left=(0, 255, 0), right=(255, 128, 0), middle=(51, 153, 255))
# Standard deviations of annotators over the size of a person, COCO 2016.
_COCO_SIGMAS = dict(
    nose=0.026,
    eye=0.025,
    ear=0.035,
    shoulder=0.079,
    elbow=0.072,
    wrist=0.062,
    hip=0.107,
    knee=0.087,
    ankle=0.089,
)


def keypoint_metainfo(joint_set: str) -> dict[str, Any]:
    """Describe a joint set as mmpose's data sets describe theirs.

    Args:
        joint_set: name of the set.

    Returns:
        The keys of mmpose's parsed meta information: ``num_keypoints``,
        ``flip_indices``, ``skeleton_links``, ``keypoint_colors`` and so on.
        ``sigmas``, which object keypoint similarity needs, is published for
        COCO's joints only, and empty for other sets. ``CLASSES`` is what
        mmpose's ``CocoMetric`` writes as categories.

    Example:
        >>> meta = keypoint_metainfo('coco17')
        >>> meta['num_keypoints'], meta['flip_indices'][:3]
        (17, [0, 2, 1])
    """
    names = joint_names(joint_set)
    pairs = flip_pairs(joint_set)
    flip_indices = list(range(len(names)))
    for left, right in pairs:
        flip_indices[left], flip_indices[right] = right, left
    lower = [i for i, name in enumerate(names) if _part(name) in _LOWER_BODY]
    links = skeleton_links(joint_set)
    sigmas = (
        [_COCO_SIGMAS[_part(name)] for name in names]
        if joint_set == 'coco17'
        else []
    )
    return dict(
        dataset_name=joint_set,
        num_keypoints=len(names),
        keypoint_id2name=dict(enumerate(names)),
        keypoint_name2id={name: i for i, name in enumerate(names)},
        upper_body_ids=[i for i in range(len(names)) if i not in lower],
        lower_body_ids=lower,
        flip_indices=flip_indices,
        flip_pairs=pairs,
        keypoint_colors=_colors([name] for name in names),
        num_skeleton_links=len(links),
        skeleton_links=links,
        skeleton_link_colors=_colors(
            [names[i] for i in link] for link in links
        ),
        dataset_keypoint_weights=np.ones(len(names), np.float32),
        sigmas=np.array(sigmas, np.float32),
        CLASSES=[dict(id=1, name='person')],
    )


def _part(name: str) -> str:
    """Body part of a joint: 'left_hip' -> 'hip'."""
    return name.removeprefix('left_').removeprefix('right_')


def _side(name: str) -> str:
    side = name.split('_')[0]
    return side if side in ('left', 'right') else 'middle'


def _colors(groups: Iterable[Sequence[str]]) -> np.ndarray:
    """RGB (N, 3) uint8 of joints or bones, by the side of the body."""
    sides = [{_side(name) for name in group} for group in groups]
    return np.array(
        [
            _COLORS[side.pop() if len(side) == 1 else 'middle']
            for side in sides
        ],
        np.uint8,
    )


#: Keys by which data sets of other joints, or of another kind, differ: what
#: MMEngine's ``ConcatDataset(ignore_keys=...)`` needs to mix them.
JOINT_SET_KEYS: list[str] = [
    'dataset_type',
    'split',
    'joint_set',
    'joint_names',
    *keypoint_metainfo('coco17'),
]
