"""All checks of labels, and what each of them found."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mmd2a.body_models.joint_sets import joint_names, map_joints, take_joints
from mmd2a.datasets.consistency.anatomy import (
    LEG_LENGTHS,
    Joints,
    bone_length,
    handedness,
    leg_length,
    sets_of_size,
)
from mmd2a.datasets.consistency.people import LabelledPerson
from mmd2a.datasets.consistency.pixels import (
    check_box,
    check_depth,
    check_mask,
)
from mmd2a.datasets.consistency.projection import (
    AGREE,
    is_mirror,
    pinhole_residual,
    readings,
    turned_residual,
)
from mmd2a.datasets.consistency.verdict import Finding

__all__ = ['Finding', 'check_labels']

_UNITS = {
    'millimetres': 1e3,
    'centimetres': 1e2,
    'inches': 39.37,
    'feet': 3.281,
}
# Bones of another set have to be shorter in so many people to be believed.
_SHORTER = 0.75
# Readings as good as the best within this are as likely.
_AS_GOOD = 0.03
# Joints of a body and labelled ones are of different regressors, metres.
_BODY_ERROR = 0.15


@dataclass(frozen=True)
class _Points:
    """3-D joints of a person that are to lie on its 2-D joints."""

    deep: np.ndarray
    flat: np.ndarray | None
    joint_set: str
    person: LabelledPerson

    @property
    def joints(self) -> Joints:
        return Joints(self.deep, joint_names(self.joint_set))


def check_labels(people: Sequence[LabelledPerson]) -> list[Finding]:
    """Compare labels of people with each other.

    A mistake of a data set is in most of its people: medians count, so that
    single odd labels do not.

    Args:
        people: some dozens, from all over the data set.

    Returns:
        What each check found; ``problem`` is None where labels agree, and
        ``number`` 0 where nobody has the labels it compares.

    Example:
        >>> person = LabelledPerson('h36m14', np.array([0., 0, 9, 9]))
        >>> [finding.number for finding in check_labels([person])]
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    """
    labelled = [
        _Points(p.points3d, p.points2d, str(p.joint_set), p)
        for p in people
        if p.points3d is not None and p.joint_set
    ]
    posed = [
        _Points(p.smpl_joints, _of_smpl(p), 'smpl24', p)
        for p in people
        if p.smpl_joints is not None
    ]
    return [
        check_box(people),
        _check_order('keypoints2d', people, lambda p: p.points2d),
        _check_order('keypoints3d', people, lambda p: p.points3d),
        _check_units(labelled),
        _check_handedness(labelled),
        _check_projection('keypoints3d', labelled),
        _check_camera('keypoints3d', labelled),
        _check_radians(people),
        _check_projection('body', posed),
        _check_body(people),
        check_mask(people),
        check_depth(people),
    ]


def _of_smpl(person: LabelledPerson) -> np.ndarray | None:
    """2-D joints as those of SMPL, as far as they are near them."""
    if person.points2d is None or person.joint_set is None:
        return None
    indices = map_joints(person.joint_set, 'smpl24', approximate=True)
    taken = take_joints(person.points2d, indices)
    taken[np.array(indices) < 0] = np.nan
    return taken


def _medians(
    scores: Iterable[dict[str, float]],
) -> tuple[dict[str, float], int]:
    """Median of each reading over people, and how many of them count."""
    scores = [score for score in scores if score]
    names = dict.fromkeys(name for score in scores for name in score)
    return {
        name: float(
            np.median([score[name] for score in scores if name in score])
        )
        for name in names
    }, len(scores)


def _check_order(
    key: str,
    people: Sequence[LabelledPerson],
    points: Callable[[LabelledPerson], np.ndarray | None],
) -> Finding:
    name = f'order of {key}'
    scores = []
    declared = None
    for person in people:
        values = points(person)
        if values is None or '+' in str(person.joint_set):
            continue
        declared = str(person.joint_set)
        score = {
            joint_set: bone_length(values, joint_set)
            for joint_set in {declared, *sets_of_size(len(values))}
        }
        scores.append({k: v for k, v in score.items() if np.isfinite(v)})
    scores = [score for score in scores if declared in score]
    medians, number = _medians(scores)
    if declared not in medians:
        return Finding(name, 0)
    best = min(medians, key=lambda k: (medians[k], k != declared))
    shorter = [s[best] < s[declared] for s in scores if best in s]
    if best == declared or np.mean(shorter) < _SHORTER:
        return Finding(name, number)
    return Finding(
        name,
        number,
        f'bones are {medians[declared] / medians[best]:.2f} times as long in '
        f"joint_set='{declared}' as in '{best}'",
        f"give joint_set='{best}', or put the joints in the order of "
        f"'{declared}'",
    )


def _check_units(people: Sequence[_Points]) -> Finding:
    name = 'unit of keypoints3d'
    lengths = [leg_length(p.joints) for p in people]
    lengths = [length for length in lengths if np.isfinite(length)]
    if not lengths:
        return Finding(name, 0)
    length = float(np.median(lengths))
    low, high = LEG_LENGTHS
    if low <= length <= high:
        return Finding(name, len(lengths))
    unit = next(
        (u for u, n in _UNITS.items() if low <= length / n <= high), None
    )
    return Finding(
        name,
        len(lengths),
        f'legs are {length:.3g} long, which are metres of nobody'
        + (f', but may be {unit}' if unit else ''),
        f'divide by {_UNITS[unit]:g}' if unit else 'give metres',
    )


def _check_handedness(people: Sequence[_Points]) -> Finding:
    name = 'handedness of keypoints3d'
    votes = [handedness(p.joints) for p in people]
    votes = [vote for vote in votes if vote]
    if not votes or np.median(np.abs(votes)) < 0.02:
        return Finding(name, 0)
    if np.median(votes) > 0:
        return Finding(name, len(votes))
    return Finding(
        name,
        len(votes),
        'people are mirror images: knees bend backwards',
        'an axis points the other way (often z, as in OpenGL without y), or '
        'left and right joints are swapped',
    )


def _check_projection(what: str, people: Sequence[_Points]) -> Finding:
    name = f'{what} on keypoints2d'
    medians, number = _medians(
        readings(p.deep, p.flat, p.joint_set)
        for p in people
        if p.flat is not None
    )
    if not medians:
        return Finding(name, 0)
    given = medians['as given']
    if given <= AGREE:
        return Finding(name, number)
    shown = f'off by {given:.0%} of their size'
    # Which axis it is cannot be seen from one side, but by left and right.
    mirrored = bool(np.median([handedness(p.joints) for p in people]) < 0)
    least = min(medians.values())
    best = min(
        (k for k, v in medians.items() if v <= least + _AS_GOOD),
        key=lambda k: (is_mirror(k) is not mirrored, medians[k]),
    )
    if medians[best] <= 0.6 * given:
        return Finding(
            name,
            number,
            f'{shown}, but by {medians[best]:.0%} if {best}',
            'turn them to +x right, +y down, +z forward'
            if 'left' not in best
            else 'swap left and right joints of one of the two',
        )
    turned = float(
        np.median(
            [
                turned_residual(p.deep, p.flat)
                for p in people
                if p.flat is not None
            ]
        )
    )
    if turned < 0.6 * given:
        return Finding(
            name,
            number,
            f'{shown}, but by {turned:.0%} once each is turned',
            'they are in the frame of the world, or of another camera: turn '
            'them into that of the picture by its extrinsics',
        )
    return Finding(
        name,
        number,
        f'{shown}, however they are turned',
        'look whether both are of one person and of one order of joints',
    )


def _check_camera(what: str, people: Sequence[_Points]) -> Finding:
    """Absolute joints lie on 2-D ones by the camera that is given."""
    name = f'K and {what} on keypoints2d'
    errors, weak = [], []
    for p in people:
        if p.person.K is None or p.flat is None:
            continue
        error = pinhole_residual(p.deep, p.flat, p.person.K)
        if np.isfinite(error):
            errors.append(error)
            weak.append(readings(p.deep, p.flat, p.joint_set)['as given'])
    if not errors or np.median(weak) > AGREE:
        return Finding(name, 0)
    if np.median(errors) <= AGREE:
        return Finding(name, len(errors))
    return Finding(
        name,
        len(errors),
        f'off by {np.median(errors):.0%} of their size, though they fit once '
        'shifted and scaled',
        'K is not of this picture (another size?), or the joints are not '
        'where they are before the camera',
    )


def _check_radians(people: Sequence[LabelledPerson]) -> Finding:
    name = 'unit of body_pose'
    sizes = [
        np.linalg.norm(p.pose.reshape(-1, 3), axis=1).max()
        for p in people
        if p.pose is not None
    ]
    if not sizes:
        return Finding(name, 0)
    if np.median(sizes) <= 2 * np.pi:
        return Finding(name, len(sizes))
    return Finding(
        name,
        len(sizes),
        f'angles are up to {np.median(sizes):.0f}, more than a whole turn',
        'give radians: multiply degrees by pi / 180',
    )


def _check_body(people: Sequence[LabelledPerson]) -> Finding:
    """The posed body is where its joints are, root to root."""
    name = 'body on keypoints3d'
    errors = []
    for p in people:
        if p.smpl_joints is None or p.points3d is None or not p.joint_set:
            continue
        indices = map_joints(p.joint_set, 'smpl24', approximate=True)
        other = take_joints(p.points3d, indices)
        known = (np.array(indices) >= 0) & np.isfinite(other).all(1)
        if known.sum() >= 6:
            off = (other - p.smpl_joints)[known]
            off = off - off.mean(0)
            errors.append(np.sqrt((off**2).sum(1).mean()))
    if not errors:
        return Finding(name, 0)
    if np.median(errors) <= _BODY_ERROR:
        return Finding(name, len(errors))
    return Finding(
        name,
        len(errors),
        f'off by {1e3 * np.median(errors):.0f} mm',
        'give both in one frame and unit; global_orient turns with the camera',
    )
