"""Find labels that cannot be trusted before anything is computed from them."""

from collections.abc import Mapping

import numpy as np

from mmd2a.datasets.errors import BadSampleError
from mmd2a.datasets.label_layouts import LAYOUTS, arrange_labels

#: Weight of each label; a label per joint has a weight per joint.
LABEL_WEIGHTS = dict(
    keypoints2d='keypoints2d_weight',
    keypoints3d='keypoints3d_weight',
    global_orient='smpl_weight',
    body_pose='smpl_weight',
    betas='smpl_weight',
    transl='smpl_weight',
)


# Beyond these no label is meant: size, and what the number should have been.
_LIMITS = dict(
    keypoints2d=(1e6, 'pixels'),
    keypoints3d=(1e4, 'metres'),
    global_orient=(20, 'radians, not degrees'),
    body_pose=(20, 'radians, not degrees'),
    betas=(100, 'standard deviations'),
    transl=(200, 'metres'),
)
# Joints of one person are at most some metres apart; in mm or cm, more.
_LARGEST_PERSON = 20
_LARGEST_WEIGHT = 1e6


def check_box(
    bbox: np.ndarray | None, shape: tuple[int, int], path: str | None = None
) -> np.ndarray:
    """Return the box (4,) xyxy in pixels if a person can be cut out by it.

    Args:
        bbox: x1, y1, x2, y2.
        shape: image height and width.
        path: image file, for the message.

    Raises:
        BadSampleError: not four numbers, NaN, less than a pixel, far larger
            than the image, or outside it.
        ValueError: no box at all.
    """
    fix = 'correct bbox (x1, y1, x2, y2 in pixels) in the annotations'
    if bbox is None:
        raise ValueError(f'the sample has no bbox{_of(path)}. To fix: {fix}')
    try:
        box = arrange_labels(dict(bbox=bbox))['bbox']
    except ValueError as error:
        raise BadSampleError(f'box cannot be used, {error}', path, fix) from (
            error
        )
    if not np.isfinite(box).all():
        raise BadSampleError(
            f'box {_shown(box)} is not four finite numbers', path, fix
        )
    if box[2] <= box[0] or box[3] <= box[1]:
        raise BadSampleError(f'box {_shown(box)} has no area', path, fix)
    height, width = shape
    if (
        box[2] <= 0
        or box[3] <= 0
        or box[0] >= width - 1
        or box[1] >= height - 1
    ):
        raise BadSampleError(
            f'box {_shown(box)} lies outside the {width}x{height} image',
            path,
            fix,
        )
    sides = box[2:] - box[:2]
    if sides.max() < 1 or sides.max() > 100 * max(shape):
        raise BadSampleError(
            f'box {_shown(box)} is no part of the {width}x{height} image',
            path,
            fix,
        )
    return box


def check_camera(K: np.ndarray, path: str | None = None) -> np.ndarray:
    """Return the camera matrix (3, 3), float64, if it is one.

    Raises:
        BadSampleError: not finite, no positive focal lengths, or another
            last row than 0, 0, 1.
        ValueError: of another shape.
    """
    matrix = _arrange(dict(K=K), None, path)['K']
    if (
        not (np.abs(matrix) < 1e8).all()
        or matrix[0, 0] <= 0
        or matrix[1, 1] <= 0
        or (matrix[2] != (0, 0, 1)).any()
    ):
        shown = np.array2string(matrix, precision=1, separator=', ')
        raise BadSampleError(
            f'K {" ".join(shown.split())} is no camera matrix',
            path,
            'give K as [[fx, s, cx], [0, fy, cy], [0, 0, 1]] in pixels, or '
            'leave it out',
        )
    return matrix


def clean_labels(results: Mapping) -> dict[str, np.ndarray]:
    """Return the labels a sample has, float64, and their weights.

    Layouts are those of :func:`~mmd2a.datasets.label_layouts.arrange_labels`.
    A value that is not finite, or beyond all sense, and whose weight is 0
    becomes 0. One whose weight is positive claims to be known and is not: the
    sample is bad. A label without a weight counts fully.

    Args:
        results: sample; see :class:`~mmd2a.datasets.BodyDataset`.

    Returns:
        Every label present with its weight: (J,) for keypoints, () for the
        body parameters; ``keypoints2d_visibility`` (J,) where the sample has
        it. Missing labels have no entry.

    Raises:
        BadSampleError: values with positive weight that are not finite, or
            cannot be in the unit of the label; or a weight that is negative
            or not finite.
        ValueError: a label of another layout, which is a matter of the whole
            data set.
    """
    path = results.get('img_path')
    given = _arrange(
        {key: results.get(key) for key in _LABEL_KEYS},
        results.get('joint_set'),
        path,
    )
    for key in _WEIGHT_KEYS & given.keys():
        weight = given[key]
        # NaN is in no interval.
        if not (
            weight.min(initial=0) >= 0
            and weight.max(initial=0) < _LARGEST_WEIGHT
        ):
            bad = ~((weight >= 0) & (weight < _LARGEST_WEIGHT))
            what = f'weight must be in [0, {_LARGEST_WEIGHT:g})'
            _refuse(key, bad, what, path)
    labels: dict[str, np.ndarray] = {}
    for key, weight_key in LABEL_WEIGHTS.items():
        if key not in given:
            continue
        value = given[key]
        weight = given.get(weight_key, _ONE)
        if value.ndim == 2 and not weight.ndim:
            weight = np.full(len(value), weight)
        limit, unit = _LIMITS[key]
        largest = np.abs(value).max(initial=0)
        if not largest < limit:
            known = (np.abs(value) < limit).all(-1)
            bad = (weight > 0) & ~known
            finite = np.isfinite(value).all(-1)
            what = 'NaN or infinite value with a weight above 0'
            _refuse(key, bad & ~finite, what, path)
            what = f'value beyond {limit:g}, but {unit} are expected'
            _refuse(key, bad, what, path)
            value[~known] = 0
        if key == 'keypoints3d' and largest > _LARGEST_PERSON / 2:
            _check_person_size(value[weight > 0], path)
        labels[key], labels[weight_key] = value, weight
    if 'keypoints2d_visibility' in given:
        labels['keypoints2d_visibility'] = flags = given[
            'keypoints2d_visibility'
        ]
        if not (flags.min(initial=0) >= 0 and flags.max(initial=0) <= 2):
            bad = ~((flags >= 0) & (flags <= 2))
            _refuse('keypoints2d_visibility', bad, 'must be 0, 1 or 2', path)
    return labels


_LABEL_KEYS = tuple(set(LAYOUTS) - {'bbox', 'K'})
_WEIGHT_KEYS = frozenset(LABEL_WEIGHTS.values())
_ONE = np.array(1.0)


def _arrange(
    labels: Mapping, joint_set: str | None, path: str | None
) -> dict[str, np.ndarray]:
    """:func:`arrange_labels`, whose errors name the picture."""
    try:
        return arrange_labels(labels, joint_set)
    except ValueError as error:
        raise ValueError(f'{error}{_of(path)}') from error


def _of(path: str | None) -> str:
    return '' if path is None else f' (labels of {path})'


def _check_person_size(joints: np.ndarray, path: str | None) -> None:
    size = np.ptp(joints, axis=0).max() if len(joints) else 0
    if size > _LARGEST_PERSON:
        raise BadSampleError(
            f'keypoints3d are up to {size:.0f} apart, but metres are expected',
            path,
            'divide millimetres by 1000, centimetres by 100; give what is '
            'unknown weight 0',
        )


def _refuse(key: str, bad: np.ndarray, what: str, path: str | None) -> None:
    if not bad.any():
        return
    where = f' at joints {np.flatnonzero(bad).tolist()}' if bad.ndim else ''
    raise BadSampleError(
        f'{key}{where}: {what}',
        path,
        'correct the annotation, or give what is unknown weight 0',
    )


def _shown(box: np.ndarray) -> str:
    """A box as a message shows it."""
    return np.array2string(box, precision=1, separator=', ')
