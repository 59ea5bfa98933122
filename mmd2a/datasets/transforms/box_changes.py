"""Boxes as detectors give them, and boxes of half a person."""

import numpy as np

from mmd2a.body_models.joint_sets import joint_names

__all__ = ['jitter_box', 'upper_body_box']

# Beside the joints there is flesh: this share of their extent.
_FLESH = 0.2
# Fewer joints do not say where the upper body is.
_LEAST_JOINTS = 3
_LEGS = ('hip', 'knee', 'ankle', 'foot', 'toe', 'heel')


def jitter_box(box: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Move every edge of a box on its own.

    Args:
        box: (4,) xyxy, pixels.
        errors: (4,) of left, top, right and bottom, as shares of the box's
            width and height, within +-0.45: no edge passes its opposite.

    Example:
        >>> jitter_box(np.array([0., 0, 10, 20]), np.array([.1, 0, 0, -.1]))
        array([ 1.,  0., 10., 18.])
    """
    size = box[2:] - box[:2]
    return box + np.clip(errors, -0.45, 0.45) * np.tile(size, 2)


def upper_body_box(
    box: np.ndarray,
    labels: dict[str, np.ndarray],
    joint_set: str | None,
    below: float,
) -> np.ndarray:
    """Return the part of a person's box that holds the upper body.

    J: joints of the joint set.

    Args:
        box: (4,) xyxy of the person, pixels.
        labels: with ``keypoints2d`` (J, 2) pixels and, if any,
            ``keypoints2d_weight`` (J,).
        joint_set: what they are.
        below: how much of the legs stays: 0 ends at the hips, 1 at the
            lowest point of the legs.

    Returns:
        The box itself where fewer than three joints over the hips are
        labelled.
    """
    if 'keypoints2d' not in labels or joint_set is None:
        return box
    points = labels['keypoints2d']
    labelled = labels.get('keypoints2d_weight', np.ones(len(points))) > 0
    on_leg = np.array(
        [
            any(part in name for part in _LEGS)
            for name in joint_names(joint_set)
        ]
    )
    upper = points[labelled & ~on_leg]
    if len(upper) < _LEAST_JOINTS:
        return box
    hips = np.array(['hip' in name for name in joint_names(joint_set)])
    low, high = (
        edge(np.concatenate([upper, points[labelled & hips]]), axis=0)
        for edge in (np.min, np.max)
    )
    flesh = _FLESH * (high - low).max()
    inner = np.concatenate([low - flesh, high + flesh])
    part = inner + below * (box - inner)
    part = np.concatenate(
        [np.maximum(part[:2], box[:2]), np.minimum(part[2:], box[2:])]
    )
    # Joints beside the box, as of a wrong label, leave nothing to cut.
    return part if (part[2:] - part[:2] >= 2).all() else box
