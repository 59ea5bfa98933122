"""The layout of every label, and how other layouts are brought to it."""

import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np

from mmd2a.body_models.joint_sets import joint_names, parts_of_union

#: What each label looks like. J: joints of the joint set, S: shape components.
LAYOUTS = dict(
    bbox='(4,): x1, y1, x2, y2 in pixels',
    K='(3, 3): camera matrix in pixels of the image',
    keypoints2d='(J, 2): pixels; or (J, 3) with confidences or COCO flags',
    keypoints2d_weight='(J,) or one number',
    keypoints2d_visibility='(J,): 0 outside the image, 1 hidden, 2 seen',
    keypoints3d='(J, 3): metres, OpenCV camera; or (J, 4) with confidences',
    keypoints3d_weight='(J,) or one number',
    global_orient='(3,): axis times angle, radians',
    body_pose='(69,) or (23, 3): axis times angle of 23 joints, radians; of '
    'SMPL-H and SMPL-X (63,) or (21, 3)',
    betas='(S,): shape components',
    transl='(3,): metres',
    smpl_weight='one number',
)
#: Files that an entry names.
PATH_KEYS = ('img_path', 'depth_path', 'mask_path', 'parts_path')
_TEXT_KEYS = ('joint_set', 'gender')
_DIMS = dict(keypoints2d=2, keypoints3d=3)
_PER_JOINT = (
    'keypoints2d_weight',
    'keypoints2d_visibility',
    'keypoints3d_weight',
)
_SHAPES = dict(bbox=(4,), K=(3, 3), global_orient=(3,), transl=(3,))
# Names that other toolboxes give to what has another name here.
_SYNONYMS = dict(
    pose='body_pose',
    poses='body_pose',
    theta='body_pose',
    thetas='body_pose',
    beta='betas',
    shapes='betas',
    trans='transl',
    translation='transl',
    rootorient='global_orient',
    globalrot='global_orient',
    joints2d='keypoints2d',
    joints3d='keypoints3d',
    kp2d='keypoints2d',
    kp3d='keypoints3d',
    keypoints='keypoints2d',
    box='bbox',
    bboxes='bbox',
    bboxxyxy='bbox',
    camk='K',
    intrinsics='K',
    cammatrix='K',
    image='img_path',
    imgname='img_path',
    imagepath='img_path',
    filename='img_path',
    depth='depth_path',
    mask='mask_path',
)
_KNOWN = (*LAYOUTS, *PATH_KEYS, *_TEXT_KEYS)
_PLAIN = {key.lower().replace('_', ''): key for key in _KNOWN}

# Of SMPL-X; SMPL has 300.
_MAX_BETAS = 400


def suggest_key(key: str) -> str | None:
    """Name the key that an unknown one seems to mean.

    Example:
        >>> suggest_key('keypoints_3d'), suggest_key('pose')
        ('keypoints3d', 'body_pose')
        >>> suggest_key('frame_number')
    """
    plain = key.lower().replace('_', '').replace('-', '').replace(' ', '')
    for name in (plain, plain.removeprefix('smpl')):
        if name in _PLAIN or name in _SYNONYMS:
            return _PLAIN.get(name) or _SYNONYMS[name]
    close = difflib.get_close_matches(plain, _PLAIN, 1, cutoff=0.8)
    return _PLAIN[close[0]] if close else None


def arrange_labels(
    entry: Mapping[str, Any], joint_set: str | None = None
) -> dict[str, np.ndarray]:
    """Bring the labels of a person to the layouts of this package.

    What can be meant in one way only is taken: a leading axis of one, a
    column of confidences beside keypoints, ``body_pose`` as (23, 3). Nothing
    is judged but types and shapes.

    Args:
        entry: a person, with any of the keys of :data:`LAYOUTS`; None counts
            as absent.
        joint_set: fixes J; None: keypoints may be of any number.

    Returns:
        The labels there are, float64; see :data:`LAYOUTS`. Weights of
        keypoints are (J,) or ().

    Raises:
        ValueError: naming the label, its shape and the layout expected.

    Example:
        >>> labels = arrange_labels(dict(keypoints2d=[[5, 6, .5]] * 14))
        >>> labels['keypoints2d'].shape, labels['keypoints2d_weight'].shape
        ((14, 2), (14,))
    """
    labels = {
        key: _numbers(key, entry[key])
        for key in LAYOUTS
        if entry.get(key) is not None
    }
    for key, dims in _DIMS.items():
        if key in labels:
            _arrange_keypoints(labels, key, dims, joint_set)
    for key in _PER_JOINT:
        if key in labels and labels[key].ndim > 1:
            raise _layout_error(key, labels[key])
    for key, shape in _SHAPES.items():
        if key in labels:
            labels[key] = _drop_axes(labels[key], len(shape))
            if labels[key].shape != shape:
                raise _layout_error(key, labels[key])
    if 'body_pose' in labels:
        labels['body_pose'] = _arrange_pose(labels['body_pose'])
    if 'betas' in labels:
        labels['betas'] = betas = _drop_axes(labels['betas'], 1)
        if betas.ndim != 1 or not 0 < betas.size <= _MAX_BETAS:
            raise _layout_error('betas', betas)
    if 'smpl_weight' in labels:
        labels['smpl_weight'] = weight = _drop_axes(labels['smpl_weight'], 0)
        if weight.ndim:
            raise _layout_error('smpl_weight', weight)
    return labels


def check_entry(entry: Any) -> dict[str, Any]:
    """Check types and shapes of an entry of an annotation file.

    Args:
        entry: what the file holds for a person.

    Returns:
        The entry with its labels as arrays; keys that mean nothing here are
        kept.

    Raises:
        ValueError: naming the key and what it should hold.
    """
    if not isinstance(entry, dict):
        raise ValueError(
            f'it is {_kind(entry)}, not an object with img_path, bbox and '
            'labels'
        )
    for key in entry.keys() - set(_KNOWN):
        meant = suggest_key(key)
        # Arrays under the name of a file are somebody's own matter.
        if meant in PATH_KEYS and not isinstance(entry[key], str):
            continue
        if meant is not None and entry.get(meant) is None:
            layout = LAYOUTS.get(meant)
            raise ValueError(
                f'it has the unknown key {key!r}; name it {meant!r}'
                + (f', {layout}' if layout else '')
            )
    for key in ('img_path', 'bbox'):
        if entry.get(key) is None:
            raise ValueError(
                f'it has no {key}; give {LAYOUTS.get(key, "the picture")}'
            )
    for key in (*PATH_KEYS, *_TEXT_KEYS):
        value = entry.get(key)
        if value is not None and (not isinstance(value, str) or not value):
            raise ValueError(
                f'{key} is {_kind(value)}; give a text that is not empty, or '
                'leave it out'
            )
    joint_set = entry.get('joint_set')
    if joint_set is not None:
        try:
            parts_of_union(joint_set)
        except KeyError as error:
            raise ValueError(f'joint_set: {error.args[0]}') from error
    return {**entry, **arrange_labels(entry, joint_set)}


def _numbers(key: str, value: Any) -> np.ndarray:
    """Make an array of numbers, or say why it cannot be one."""
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError, RecursionError):
        array = np.empty(0, object)  # Rows of different lengths.
    kinds = 'fiub' if key.endswith(('_weight', '_visibility')) else 'fiu'
    if array.dtype.kind not in kinds:
        raise ValueError(
            f'{key} is {_kind(value)} that is no array of numbers; expected '
            f'shape {LAYOUTS[key]}'
        )
    return array.astype(np.float64)


def _arrange_keypoints(
    labels: dict[str, np.ndarray], key: str, dims: int, joint_set: str | None
) -> None:
    points = _drop_axes(labels[key], 2)
    number = len(joint_names(joint_set)) if joint_set else None
    if points.ndim == 1 and number and points.size % number == 0:
        points = points.reshape(number, -1)  # A flat list, as COCO has it.
    if points.ndim != 2 or points.shape[1] not in (dims, dims + 1):
        raise _layout_error(key, labels[key], joint_set)
    if number not in (None, len(points)):
        raise _layout_error(key, points, joint_set)
    weight_key = f'{key}_weight'
    if points.shape[1] > dims:
        column = points[:, dims]
        points = points[:, :dims]
        if weight_key in labels:
            raise ValueError(
                f'{key} has shape {labels[key].shape}, whose last column is '
                f'a confidence, and there is {weight_key} too; leave one out'
            )
        labels[weight_key] = _weights_of(column, key)
        if dims == 2 and column.max(initial=0) > 1:
            labels.setdefault('keypoints2d_visibility', column)
    labels[key] = points
    for other in _PER_JOINT:
        if not other.startswith(key) or other not in labels:
            continue
        array = labels[other]
        if array.ndim == 2 and 1 in array.shape:
            array = array.ravel()  # (J, 1), or (1, J).
        if array.shape == (1,) and len(points) > 1:
            array = array[0]
        per_joint = array.shape == points.shape[:1]
        if not per_joint and (array.ndim or other.endswith('_visibility')):
            raise ValueError(
                f'{key} has shape {points.shape}, but {other} has shape '
                f'{array.shape}; expected {points.shape[:1]}'
            )
        labels[other] = array


def _weights_of(column: np.ndarray, key: str) -> np.ndarray:
    """Weights from confidences in [0, 1] or COCO's flags 0, 1, 2."""
    if np.isin(column, (0, 1, 2)).all():
        return (column > 0).astype(np.float64)
    if not ((column >= 0) & (column <= 1)).all():
        raise ValueError(
            f'the last column of {key} of shape ({len(column)}, n) is neither '
            'confidences in [0, 1] nor flags 0, 1, 2; leave it out and give '
            f'{key}_weight'
        )
    return column


def _arrange_pose(pose: np.ndarray) -> np.ndarray:
    pose = _drop_axes(pose, 2 if pose.shape[-1:] == (3,) else 1)
    if pose.shape in ((69,), (23, 3), (63,), (21, 3)):
        return pose.ravel()
    reasons = {
        72: 'this is the whole pose of SMPL: give its first 3 numbers as '
        'global_orient and the other 69 as body_pose',
        66: 'this is a pose of SMPL-X or SMPL-H with the root: give its first '
        '3 numbers as global_orient and the other 63 as body_pose',
        207: 'turn rotation matrices into axis times angle',
        216: 'turn rotation matrices into axis times angle, without the root',
    }
    raise _layout_error('body_pose', pose, fix=reasons.get(pose.size))


def _drop_axes(array: np.ndarray, ndim: int) -> np.ndarray:
    """Drop leading axes of one until ``ndim`` are left."""
    while array.ndim > ndim and array.shape[0] == 1:
        array = array[0]
    return array


def _layout_error(
    key: str,
    array: np.ndarray,
    joint_set: str | None = None,
    fix: str | None = None,
) -> ValueError:
    layout = LAYOUTS[key]
    if joint_set is not None:
        number = len(joint_names(joint_set))
        layout = layout.replace('J', str(number)) + f', for {joint_set}'
    if fix is None and array.size == 9 and key == 'global_orient':
        fix = 'turn the rotation matrix into axis times angle'
    return ValueError(
        f'{key} has shape {array.shape}, expected {layout}'
        + (f'; {fix}' if fix else '')
    )


def _kind(value: Any) -> str:
    """Name what somebody gave, shortly."""
    text = repr(value)
    return f'{type(value).__name__} {text if len(text) < 40 else "..."}'
