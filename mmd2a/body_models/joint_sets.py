"""Names and left-right pairs of the joint sets, and maps between them.

* ``'smpl24'``: the kinematic joints, in the order of the SMPL tree, as 3DPW
  has them; ``'smplh52'`` and ``'smplx55'``: those of SMPL-H and SMPL-X.
* ``'h36m14'``: the 14 joints of LSP and of the Human3.6M protocols;
  ``'lsp14'``: another name for it.
* ``'h36m17'``: Human3.6M, right leg first; ``'h36m17_spin'``: the rows
  of ``J_regressor_h36m.npy`` as HMR and SPIN pass it on, left leg first.
* ``'3dhp17'``, ``'3dhp28'``: MPI-INF-3DHP, the test set and all joints.
* ``'coco17'``, ``'coco133'``: the COCO keypoints, and COCO-WholeBody.
* ``'blazepose33'``: MediaPipe's; ``'body25'``: OpenPose's.
* ``'human_data190'``: all that HumanData tells apart.

Names of sets joined by ``+`` are their union, such as ``'h36m14+coco17'``:
every joint once, those of the first set first. It is what samples of several
sets have in common: each knows some of the joints, and the others of its
labels have weight 0.
"""

import functools

import numpy as np

from mmd2a.body_models.joint_places import (
    HUMAN_DATA_PLACES,
    JOINT_PLACES,
    nearby_place,
)

__all__ = [
    'JOINT_SETS',
    'SMPL_PARENTS',
    'flip_pairs',
    'human_data_indices',
    'joint_names',
    'joint_places',
    'map_joints',
    'parts_of_union',
    'rows_of_union',
    'take_joints',
]

# fmt: off
SMPL_PARENTS: tuple[int, ...] = (
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8,
    9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21,
)
# fmt: on

# Where a joint is called otherwise than its place.
_WORDS = dict(
    spine_1='spine1',
    spine_2='spine2',
    spine_3='spine3',
    spine_4='spine4',
    headtop='head_top',
    **{
        f'{side}_{toe}toe': f'{side}_{toe}_toe'
        for side in ('left', 'right')
        for toe in ('big', 'small')
    },
)
_BLAZEPOSE_WORDS = {
    f'{side}_{place}': f'{side}_{word}'
    for side in ('left', 'right')
    for place, word in dict(
        eye_4='eye_inner',
        eye_1='eye_outer',
        mouth_1='mouth',
        pinky_1='pinky',
        index_1='index',
        thumb_1='thumb',
        foot='foot_index',
    ).items()
}


def _word(place: str, joint_set: str) -> str:
    if joint_set == 'human_data190':  # Its hips, for one, are three.
        return place
    if joint_set == 'blazepose33' and place in _BLAZEPOSE_WORDS:
        return _BLAZEPOSE_WORDS[place]
    word = nearby_place(place)
    return _WORDS.get(word, word)


JOINT_SETS: dict[str, tuple[str, ...]] = {
    joint_set: tuple(_word(place, joint_set) for place in places)
    for joint_set, places in JOINT_PLACES.items()
}


def parts_of_union(joint_set: str) -> tuple[str, ...]:
    """Return the sets that a name joins by ``+``; of one set, itself.

    Raises:
        KeyError: a set that is not known.

    Example:
        >>> parts_of_union('h36m14+coco17')
        ('h36m14', 'coco17')
    """
    parts = tuple(str(joint_set).split('+'))
    for part in parts:
        if part not in JOINT_SETS:
            raise KeyError(
                f'unknown joint set {part!r}; known sets: '
                f'{", ".join(JOINT_SETS)}, and unions such as '
                "'h36m14+coco17'"
            )
    return parts


def rows_of_union(parts: tuple[str, ...]) -> tuple[int, ...]:
    """Return which joints of sets laid end to end make their union.

    Example:
        >>> rows_of_union(('h36m14', 'coco17'))[-5:]
        (14, 15, 16, 17, 18)
    """
    places = [place for part in parts for place in JOINT_PLACES[part]]
    return tuple(places.index(place) for place in dict.fromkeys(places))


@functools.lru_cache(256)
def joint_names(joint_set: str) -> tuple[str, ...]:
    """Return the joint names of a set, in order.

    In a union, a joint whose name is taken by another place gets the name of
    its set behind it.

    Raises:
        KeyError: a set that is not known.

    Example:
        >>> joint_names('h36m14')[-1]
        'head_top'
        >>> joint_names('h36m14+smpl24')[14:17]
        ('pelvis', 'left_hip_smpl24', 'right_hip_smpl24')
    """
    parts = parts_of_union(joint_set)
    if len(parts) == 1:
        return JOINT_SETS[joint_set]
    names: dict[str, str] = {}  # Of each place.
    for part in parts:
        for name, place in zip(JOINT_SETS[part], JOINT_PLACES[part]):
            if place not in names:
                taken = name in names.values()
                names[place] = f'{name}_{part}' if taken else name
    return tuple(names.values())


@functools.lru_cache(256)
def joint_places(joint_set: str) -> tuple[str, ...]:
    """Return the places of a set's joints; see :mod:`.joint_places`.

    Example:
        >>> joint_places('coco17')[11]
        'left_hip_extra'
    """
    return tuple(
        dict.fromkeys(
            place
            for part in parts_of_union(joint_set)
            for place in JOINT_PLACES[part]
        )
    )


@functools.lru_cache(256)
def flip_pairs(joint_set: str) -> tuple[tuple[int, int], ...]:
    """Return the (left, right) index pairs that a mirror image swaps.

    Example:
        >>> flip_pairs('coco17')[0]
        (1, 2)
    """
    names = joint_names(joint_set)
    return tuple(
        (i, names.index('right_' + name[len('left_') :]))
        for i, name in enumerate(names)
        if name.startswith('left_')
    )


@functools.lru_cache(256)
def map_joints(
    source: str, target: str, approximate: bool = False
) -> tuple[int, ...]:
    """Find the joints of one set in another, by name.

    Args:
        source: set of the joints there are, or a union.
        target: set of those wanted, or a union.
        approximate: where the source does not have a joint, take one a few
            centimetres beside it: a hip of the skeleton for a hip that
            people mark, and the like. Nothing farther stands in.

    Returns:
        For every joint of the target its index in the source, or -1.

    Example:
        >>> map_joints('coco17', 'h36m14')
        (16, 14, 12, 11, 13, 15, 10, 8, 6, 5, 7, 9, -1, -1)
        >>> map_joints('smpl24', 'h36m14')[:3]
        (8, 5, -1)
        >>> map_joints('smpl24', 'h36m14', approximate=True)[:3]
        (8, 5, 2)
    """
    have = {place: i for i, place in enumerate(joint_places(source))}
    near: dict[str, int] = {}
    if approximate:
        for place, i in have.items():
            near.setdefault(nearby_place(place), i)
    return tuple(
        have.get(place, near.get(nearby_place(place), -1))
        for place in joint_places(target)
    )


def human_data_indices(joint_set: str) -> tuple[int, ...]:
    """Return where the joints of a set are among HumanData's 190, or -1.

    The hips of COCO-WholeBody are those of the skeleton there.

    Example:
        >>> human_data_indices('coco17')[11], human_data_indices('coco133')[11]
        (145, 1)
    """
    hips = dict(left_hip_extra='left_hip', right_hip_extra='right_hip')
    places = joint_places(joint_set)
    if joint_set == 'coco133':
        places = tuple(hips.get(place, place) for place in places)
    known = {place: i for i, place in enumerate(HUMAN_DATA_PLACES)}
    return tuple(known.get(place, -1) for place in places)


def take_joints(values: np.ndarray, indices: tuple[int, ...]) -> np.ndarray:
    """Pick joints by :func:`map_joints`; zeros where there is none.

    J: joints of the source, T: of the target.

    Args:
        values: (J, ...) of the source.
        indices: T of them.

    Returns:
        (T, ...) of the same type.

    Example:
        >>> take_joints(np.array([5, 6, 7]), (2, -1, 0))
        array([7, 0, 5])
    """
    picked = np.zeros((len(indices), *values.shape[1:]), values.dtype)
    ids = np.array(indices)
    picked[ids >= 0] = values[ids[ids >= 0]]
    return picked
