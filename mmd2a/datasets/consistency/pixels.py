"""Whether boxes, joints, masks and depth of a picture agree."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from mmd2a.datasets.consistency.people import LabelledPerson
from mmd2a.datasets.consistency.verdict import Finding

# So many of the joints are where they are said to be.
_ENOUGH = 0.7
_BOXES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    'as given': lambda b: b,
    'bbox is x, y, width and height': lambda b: np.concatenate(
        [b[:2], b[:2] + b[2:]]
    ),
    'bbox is centre, width and height': lambda b: np.concatenate(
        [b[:2] - b[2:] / 2, b[:2] + b[2:] / 2]
    ),
    'bbox is y1, x1, y2, x2': lambda b: b[[1, 0, 3, 2]],
}


def check_box(people: Sequence[LabelledPerson]) -> Finding:
    """2-D joints are in the box, and both in pixels of the picture."""
    name = 'keypoints2d in bbox'
    shares: dict[str, list[float]] = {}
    for person in people:
        points = _seen(person)
        if points is None:
            continue
        for reading, change in _BOXES.items():
            share = _share_inside(points, change(person.bbox))
            shares.setdefault(reading, []).append(share)
        swapped = _share_inside(points[:, ::-1], person.bbox)
        shares.setdefault('x and y of keypoints2d are swapped', []).append(
            swapped
        )
        if person.shape is not None:
            size = np.array(person.shape[::-1])
            for reading, scale, shift in (
                ('keypoints2d are shares of the picture', size, 0.0),
                ('keypoints2d are in [-1, 1]', size / 2, size / 2),
                ('keypoints2d are pixels of the box', 1.0, person.bbox[:2]),
            ):
                share = _share_inside(points * scale + shift, person.bbox)
                shares.setdefault(reading, []).append(share)
    return _best_reading(
        name,
        shares,
        'of the joints are in the box',
        'give bbox as x1, y1, x2, y2 and joints as x, y, in pixels of the '
        'whole picture',
    )


def check_mask(people: Sequence[LabelledPerson]) -> Finding:
    """Joints that are seen are on the mask."""
    name = 'keypoints2d on the mask'
    shares: dict[str, list[float]] = {}
    for person in people:
        points = _seen(person)
        if points is None or person.mask is None:
            continue
        mask = (person.mask > 0).astype(np.uint8)
        # Wrists are labelled a little beside.
        size = int(0.04 * (person.bbox[2:] - person.bbox[:2]).max()) | 1
        for reading, changed in {
            'as given': mask,
            'the mask is inverted': 1 - mask,
            'the mask is mirrored': mask[:, ::-1],
            'the mask is upside down': mask[::-1],
        }.items():
            wide = cv2.dilate(
                np.ascontiguousarray(changed), np.ones((size, size), np.uint8)
            )
            share = _share_on(points, wide)
            # Whatever covers everything holds all joints.
            share *= 1 - _share_around(changed, person.bbox)
            shares.setdefault(reading, []).append(share)
    return _best_reading(
        name,
        shares,
        'of the joints are on it',
        'give the mask of this person, 255 for the person, in the size and '
        'orientation of the picture',
        enough=0.5,
    )


def check_depth(people: Sequence[LabelledPerson]) -> Finding:
    """Metric depth under joints is where the joints are."""
    name = 'depth under keypoints3d'
    ratios = []
    for person in people:
        deep, points = person.points3d, person.points2d
        if person.depth is None or deep is None or points is None:
            continue
        known = np.isfinite(points).all(1) & np.isfinite(deep).all(1)
        if person.seen is not None:
            known &= person.seen
        if known.sum() < 4 or deep[known, 2].min() < 0.3:
            continue
        measured = _values_at(person.depth, points[known])
        ratios.append(np.nanmedian(measured / deep[known, 2]))
    ratios = [ratio for ratio in ratios if np.isfinite(ratio)]
    if not ratios:
        return Finding(name, 0)
    ratio = float(np.median(ratios))
    if 0.75 <= ratio <= 1.2:
        return Finding(name, len(ratios))
    unit = next(
        (
            f'the depth is in {unit}'
            for unit, scale in (('millimetres', 1e3), ('centimetres', 1e2))
            if 0.75 <= ratio / scale <= 1.2
        ),
        'it may be relative depth or disparity',
    )
    return Finding(
        name,
        len(ratios),
        f'depth is {ratio:.3g} times as far as the joints: {unit}',
        'give metres, or say LoadFrame(depth_kind=) what it is',
    )


def _seen(person: LabelledPerson) -> np.ndarray | None:
    """2-D joints (N, 2) that are labelled, and not said to be hidden."""
    if person.points2d is None:
        return None
    known = np.isfinite(person.points2d).all(1)
    if person.seen is not None and (known & person.seen).any():
        known &= person.seen
    return person.points2d[known] if known.sum() >= 3 else None


def _share_inside(points: np.ndarray, box: np.ndarray) -> float:
    """Share of points in a box that is a tenth larger on every side."""
    margin = 0.1 * np.abs(box[2:] - box[:2]).max()
    inside = (points >= box[:2] - margin) & (points <= box[2:] + margin)
    # A box far larger than what it should hold holds anything.
    size = np.ptp(points, axis=0).max()
    fits = (box[2:] - box[:2]).max() < 6 * max(size, 1e-9)
    return float(inside.all(1).mean()) if fits else 0.0


def _values_at(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Values of pixels, NaN outside."""
    column, row = np.round(points).astype(int).T
    height, width = image.shape
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    values = np.full(len(points), np.nan)
    values[inside] = image[row[inside], column[inside]]
    return values


def _share_on(points: np.ndarray, mask: np.ndarray) -> float:
    values = _values_at(mask, points)
    known = np.isfinite(values)
    return float((values[known] > 0).mean()) if known.any() else 0.0


def _share_around(mask: np.ndarray, box: np.ndarray) -> float:
    """Share of the picture outside the box that the mask covers."""
    outside = np.ones(mask.shape, bool)
    left, top, right, bottom = np.round(box).astype(int)
    outside[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = False
    return float(mask[outside].mean()) if outside.any() else 0.0


def _best_reading(
    name: str,
    shares: dict[str, list[float]],
    what: str,
    fix: str,
    enough: float = _ENOUGH,
) -> Finding:
    if 'as given' not in shares:
        return Finding(name, 0)
    medians = {k: float(np.median(v)) for k, v in shares.items()}
    number = len(shares['as given'])
    given = medians['as given']
    if given >= enough:
        return Finding(name, number)
    best = max(medians, key=lambda reading: medians[reading])
    problem = f'{given:.0%} {what}'
    if medians[best] >= enough and best != 'as given':
        problem += f', {medians[best]:.0%} if {best}'
    return Finding(name, number, problem, fix)
