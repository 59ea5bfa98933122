"""SMPL and the bodies that grew out of it: joints, trees and their poses."""

from typing import NamedTuple

from mmd2a.body_models.joint_sets import JOINT_SETS, SMPL_PARENTS

__all__ = ['FAMILIES', 'BodyFamily', 'check_gender', 'family_of']

_FINGERS = ('index', 'middle', 'pinky', 'ring', 'thumb')
_FACE = ('jaw', 'left_eyeball', 'right_eyeball')
# Two of SMPL's joints are hands as a whole; the others replace them.
_NUM_SHARED = 22
_LEFT_WRIST, _RIGHT_WRIST, _HEAD = 20, 21, 15


class BodyFamily(NamedTuple):
    """What all bodies of one kind have in common."""

    name: str
    """As its authors write it."""
    model_type: str
    """As smplx calls it, and as its folder is called."""
    prefix: str
    """What the names of its files begin with."""
    site: str
    """Where the licensed files are."""
    num_vertices: int
    """Vertices of the mesh that its authors give away."""
    joint_set: str
    """Name of the joints of its tree."""
    joint_names: tuple[str, ...]
    """The joints, the root first."""
    parents: tuple[int, ...]
    """The tree: the parent of each joint, -1 of the root."""
    parts: dict[str, int]
    """Arguments that pose the joints after the root, in their order."""

    @property
    def num_joints(self) -> int:
        """Number of joints of the tree."""
        return len(self.parents)

    @property
    def has_hands(self) -> bool:
        """Whether the fingers are posed."""
        return 'left_hand_pose' in self.parts

    @property
    def has_expression(self) -> bool:
        """Whether the face has expressions."""
        return 'jaw_pose' in self.parts


def _fingers(side: str) -> tuple[str, ...]:
    return tuple(f'{side}_{name}_{i}' for name in _FINGERS for i in (1, 2, 3))


def _finger_parents(wrist: int, first: int) -> tuple[int, ...]:
    return tuple(
        wrist if knuckle == 0 else first + 3 * finger + knuckle - 1
        for finger in range(len(_FINGERS))
        for knuckle in range(3)
    )


_SHARED_NAMES = JOINT_SETS['smpl24'][:_NUM_SHARED]
_SHARED_PARENTS = SMPL_PARENTS[:_NUM_SHARED]
_HANDS = dict(left_hand_pose=15, right_hand_pose=15)

#: By the number of joints.
FAMILIES: dict[int, BodyFamily] = {
    24: BodyFamily(
        name='SMPL',
        model_type='smpl',
        prefix='SMPL',
        site='https://smpl.is.tue.mpg.de',
        num_vertices=6890,
        joint_set='smpl24',
        joint_names=JOINT_SETS['smpl24'],
        parents=SMPL_PARENTS,
        parts=dict(body_pose=23),
    ),
    52: BodyFamily(
        name='SMPL-H',
        model_type='smplh',
        prefix='SMPLH',
        site='https://mano.is.tue.mpg.de',
        num_vertices=6890,
        joint_set='smplh52',
        joint_names=(*_SHARED_NAMES, *_fingers('left'), *_fingers('right')),
        parents=(
            *_SHARED_PARENTS,
            *_finger_parents(_LEFT_WRIST, _NUM_SHARED),
            *_finger_parents(_RIGHT_WRIST, _NUM_SHARED + 15),
        ),
        parts=dict(body_pose=21, **_HANDS),
    ),
    55: BodyFamily(
        name='SMPL-X',
        model_type='smplx',
        prefix='SMPLX',
        site='https://smpl-x.is.tue.mpg.de',
        num_vertices=10475,
        joint_set='smplx55',
        joint_names=(
            *_SHARED_NAMES,
            *_FACE,
            *_fingers('left'),
            *_fingers('right'),
        ),
        parents=(
            *_SHARED_PARENTS,
            *(_HEAD for _ in _FACE),
            *_finger_parents(_LEFT_WRIST, _NUM_SHARED + 3),
            *_finger_parents(_RIGHT_WRIST, _NUM_SHARED + 18),
        ),
        parts=dict(
            body_pose=21, jaw_pose=1, leye_pose=1, reye_pose=1, **_HANDS
        ),
    ),
}


def family_of(model_type: str) -> BodyFamily:
    """Find a family by its name in smplx.

    Raises:
        ValueError: there is none of that name.

    Example:
        >>> family_of('smplx').num_joints, family_of('smplh').parts
        (55, {'body_pose': 21, 'left_hand_pose': 15, 'right_hand_pose': 15})
    """
    known = {family.model_type: family for family in FAMILIES.values()}
    if model_type not in known:
        raise ValueError(
            f'model_type must be one of {", ".join(known)}, not {model_type!r}'
        )
    return known[model_type]


def check_gender(gender: str) -> None:
    """Check the gender of a body.

    Raises:
        ValueError: it is none of those that files are of.

    Example:
        >>> check_gender('neutral')
    """
    if gender not in ('neutral', 'male', 'female'):
        raise ValueError(
            f"gender must be 'neutral', 'male' or 'female', not {gender!r}"
        )
