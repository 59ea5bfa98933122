"""Find labels that cannot be trusted before anything is computed from them."""

from collections.abc import Mapping

import numpy as np

from mmd2a.datasets.errors import BadSampleError

#: Weight of each label; a label per joint has a weight per joint.
LABEL_WEIGHTS = dict(
    keypoints2d='keypoints2d_weight',
    keypoints3d='keypoints3d_weight',
    global_orient='smpl_weight',
    body_pose='smpl_weight',
    betas='smpl_weight',
    transl='smpl_weight',
)


def check_box(
    bbox: np.ndarray, shape: tuple[int, int], path: str | None = None
) -> np.ndarray:
    """Return the box (4,) xyxy in pixels if a person can be cut out by it.

    Args:
        bbox: x1, y1, x2, y2.
        shape: image height and width.
        path: image file, for the message.

    Raises:
        BadSampleError: NaN, zero or negative area, or outside the image.
    """
    box = np.asarray(bbox, np.float64)
    shown = np.array2string(box, precision=1, separator=', ')
    fix = 'correct bbox (x1, y1, x2, y2 in pixels) in the annotations'
    if box.shape != (4,) or not np.isfinite(box).all():
        raise BadSampleError(
            f'box {shown} is not four finite numbers', path, fix
        )
    if box[2] <= box[0] or box[3] <= box[1]:
        raise BadSampleError(f'box {shown} has no area', path, fix)
    height, width = shape
    if (
        box[2] <= 0
        or box[3] <= 0
        or box[0] >= width - 1
        or box[1] >= height - 1
    ):
        raise BadSampleError(
            f'box {shown} lies outside the {width}x{height} image', path, fix
        )
    return box


def clean_labels(results: Mapping) -> dict[str, np.ndarray]:
    """Return the labels a sample has, float64, and their weights.

    A non-finite value whose weight is 0 becomes 0. One whose weight is
    positive claims to be known and is not: the sample is bad. A label without
    a weight counts fully.

    Args:
        results: sample; see :class:`~mmd2a.datasets.BodyDataset`.

    Returns:
        Every label present with its weight: (J,) for keypoints, () for the
        body parameters. Missing labels have no entry.

    Raises:
        BadSampleError: non-finite values with positive weight, or a weight
            that is negative or not finite.
        ValueError: a weight that does not fit its label, which is a matter
            of the whole data set.
    """
    labels: dict[str, np.ndarray] = {}
    for key, weight_key in LABEL_WEIGHTS.items():
        if results.get(key) is None:
            continue
        value = np.array(results[key], np.float64)
        given = results.get(weight_key)
        weight = np.asarray(1.0 if given is None else given, np.float64)
        if key.startswith('keypoints'):
            if weight.shape not in ((), value.shape[:1]):
                raise ValueError(
                    f'{key} has shape {value.shape}, but {weight_key} has '
                    f'shape {weight.shape}'
                )
            weight = np.broadcast_to(weight, value.shape[:1])
        finite = np.isfinite(value)
        if not finite.all():
            known = finite.all(-1)
            _refuse(key, (weight > 0) & ~known, results)
            value[~known] = 0
        _refuse(weight_key, ~((weight >= 0) & (weight < np.inf)), results)
        labels[key], labels[weight_key] = value, weight
    return labels


def _refuse(key: str, bad: np.ndarray, results: Mapping) -> None:
    if not bad.any():
        return
    where = f' at joints {np.flatnonzero(bad).tolist()}' if bad.ndim else ''
    what = (
        'weight must be finite and >= 0'
        if key.endswith('_weight')
        else 'NaN or infinite value with a weight above 0'
    )
    raise BadSampleError(
        f'{key}{where}: {what}',
        results.get('img_path'),
        'correct the annotation, or give what is unknown weight 0',
    )
