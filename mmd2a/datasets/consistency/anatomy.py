"""What every body has: limbs of a length, a left and a right, bones."""

import numpy as np

from mmd2a.body_models.joint_sets import JOINT_SETS
from mmd2a.datasets.skeletons import skeleton_links

# Hip to knee to ankle, of a child of 1 m to an adult of 2.2 m.
LEG_LENGTHS = (0.4, 1.3)
_SIDES = ('left', 'right')
# Bones that say in which order joints are; heads and hands are too small.
_LIMBS = ('hip', 'knee', 'ankle', 'shoulder', 'elbow', 'wrist')


class Joints:
    """Joints by name, NaN where unknown.

    Args:
        points: (J, D).
        names: of the J joints.
    """

    def __init__(self, points: np.ndarray, names: tuple[str, ...]) -> None:
        self._points, self._names = points, names

    def __call__(self, name: str) -> np.ndarray:
        """Place (D,) of a joint, NaN if it is not known."""
        if name not in self._names:
            return np.full(self._points.shape[1], np.nan)
        return self._points[self._names.index(name)]

    def middle(self, name: str) -> np.ndarray:
        """Middle (D,) of a left and a right joint."""
        return (self(f'left_{name}') + self(f'right_{name}')) / 2


def leg_length(joints: Joints) -> float:
    """Hip to knee to ankle, the mean of the known legs; NaN without any."""
    lengths = [
        np.linalg.norm(joints(f'{side}_hip') - joints(f'{side}_knee'))
        + np.linalg.norm(joints(f'{side}_knee') - joints(f'{side}_ankle'))
        for side in _SIDES
    ]
    known = [length for length in lengths if np.isfinite(length)]
    return float(np.mean(known)) if known else np.nan


def handedness(joints: Joints) -> float:
    """Say whether 3-D joints are of a body or of its mirror image.

    Left, up and forward of a body make a right-handed frame. Forward is where
    knees bend to, elbows away from, feet and faces point to.

    Returns:
        Positive for a body, negative for a mirrored one; larger is surer. 0
        where nothing tells.
    """
    left = joints('left_hip') - joints('right_hip')
    if not np.isfinite(left).all():
        left = joints('left_shoulder') - joints('right_shoulder')
    up = joints.middle('shoulder') - joints.middle('hip')
    out = np.cross(left, up)
    size = np.linalg.norm(out)
    if not size > 0:
        return 0.0
    votes = []
    for side in _SIDES:
        hip, knee, ankle = (
            joints(f'{side}_{part}') for part in ('hip', 'knee', 'ankle')
        )
        votes.append(knee - (hip + ankle) / 2)
        shoulder, elbow, wrist = (
            joints(f'{side}_{part}') for part in ('shoulder', 'elbow', 'wrist')
        )
        votes.append((shoulder + wrist) / 2 - elbow)
        for toe in ('foot', 'big_toe', 'foot_index', 'toe'):
            votes.append(joints(f'{side}_{toe}') - ankle)
    votes.append(joints('nose') - joints.middle('ear'))
    total = np.nansum([vote @ out / size for vote in votes])
    return float(total / np.linalg.norm(up))


def bone_length(points: np.ndarray, joint_set: str) -> float:
    """Mean length of limbs, as a share of the body's size.

    In another order of joints, bones go across the body and are longer.
    """
    names = JOINT_SETS.get(joint_set, ())
    lengths = [
        np.linalg.norm(points[start] - points[end])
        for start, end in skeleton_links(joint_set)
        if names[start].endswith(_LIMBS) and names[end].endswith(_LIMBS)
    ]
    known = np.isfinite(points).all(1)
    size = np.ptp(points[known], axis=0).max() if known.any() else 0
    return float(np.nanmean(lengths) / size) if size > 0 else np.nan


def sets_of_size(number: int) -> list[str]:
    """Joint sets of as many joints, of other orders."""
    found: dict[tuple[str, ...], str] = {}
    for name, names in JOINT_SETS.items():
        if len(names) == number:
            found.setdefault(names, name)
    return list(found.values())
