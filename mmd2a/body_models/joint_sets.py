"""Names and left-right pairs of the joint sets a body is read out in.

* ``'smpl24'``: the kinematic joints, in the order of the SMPL tree.
* ``'h36m14'``: the 14 joints of LSP and of the Human3.6M protocols.
* ``'coco17'``: the COCO keypoints.
"""

__all__ = ['JOINT_SETS', 'SMPL_PARENTS', 'flip_pairs', 'joint_names']

SMPL_PARENTS: tuple[int, ...] = (
    -1,
    0,
    0,
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    9,
    9,
    12,
    13,
    14,
    16,
    17,
    18,
    19,
    20,
    21,
)

JOINT_SETS: dict[str, tuple[str, ...]] = {
    'smpl24': (
        'pelvis',
        'left_hip',
        'right_hip',
        'spine1',
        'left_knee',
        'right_knee',
        'spine2',
        'left_ankle',
        'right_ankle',
        'spine3',
        'left_foot',
        'right_foot',
        'neck',
        'left_collar',
        'right_collar',
        'head',
        'left_shoulder',
        'right_shoulder',
        'left_elbow',
        'right_elbow',
        'left_wrist',
        'right_wrist',
        'left_hand',
        'right_hand',
    ),
    'h36m14': (
        'right_ankle',
        'right_knee',
        'right_hip',
        'left_hip',
        'left_knee',
        'left_ankle',
        'right_wrist',
        'right_elbow',
        'right_shoulder',
        'left_shoulder',
        'left_elbow',
        'left_wrist',
        'neck',
        'head_top',
    ),
    'coco17': (
        'nose',
        'left_eye',
        'right_eye',
        'left_ear',
        'right_ear',
        'left_shoulder',
        'right_shoulder',
        'left_elbow',
        'right_elbow',
        'left_wrist',
        'right_wrist',
        'left_hip',
        'right_hip',
        'left_knee',
        'right_knee',
        'left_ankle',
        'right_ankle',
    ),
}


def joint_names(joint_set: str) -> tuple[str, ...]:
    """Return the joint names of a set, in order.

    Example:
        >>> joint_names('h36m14')[-1]
        'head_top'
    """
    if joint_set not in JOINT_SETS:
        raise KeyError(
            f'unknown joint set {joint_set!r}; known sets: '
            f'{", ".join(JOINT_SETS)}'
        )
    return JOINT_SETS[joint_set]


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
