"""Poses as anatomical angles, and the way from there to SMPL rotations.

A pose is a vector of named angles in degrees, in the words of a
physiotherapist (hip flexion, elbow flexion ...), all zero when a person stands
straight with hanging arms. Signs are the same on both sides: a positive
abduction leads away from the body on the left and on the right, so mirroring a
pose swaps sides and flips the few angles of the midline that have a
handedness.

A: angles.
"""

import numpy as np

__all__ = [
    'ANGLES',
    'ANGLE_INDEX',
    'LOWER',
    'NATURAL_MEAN',
    'NATURAL_STD',
    'UPPER',
    'angle_vector',
    'angles_to_rotations',
    'mirror_angles',
    'rotation_matrix',
]

# name: (lower limit, upper limit, mean, standard deviation) in degrees. The
# limits are ranges of motion of healthy adults, rounded (AAOS, 1965); mean
# and deviation say where people usually are within them.
_MIDLINE = {
    # Whole body: pitch forwards, roll to the person's left.
    'pitch': (-180, 180, 0, 4),
    'roll': (-180, 180, 0, 4),
    # Spine from pelvis to thorax: forwards, to the left, turned to the left.
    'spine_flexion': (-25, 75, 6, 14),
    'spine_side': (-30, 30, 0, 7),
    'spine_twist': (-40, 40, 0, 11),
    'neck_flexion': (-45, 45, 2, 12),
    'neck_side': (-30, 30, 0, 7),
    'neck_twist': (-65, 65, 0, 20),
}
_SIDES = {
    'hip_flexion': (-25, 120, 16, 26),
    'hip_abduction': (-15, 50, 6, 10),
    'hip_twist': (-30, 45, 6, 11),
    'knee': (0, 145, 22, 30),
    'ankle': (-45, 25, 0, 10),
    'ankle_side': (-20, 20, 0, 5),
    'toes': (-20, 50, 0, 8),
    # Arms swing from hanging: forwards and sideways; twist turns inwards.
    'arm_flexion': (-50, 175, 25, 42),
    'arm_abduction': (-30, 165, 24, 30),
    'arm_twist': (-85, 65, -4, 24),
    'elbow': (0, 145, 42, 38),
    'forearm': (-60, 70, 10, 25),
    'wrist': (-55, 60, 0, 16),
    'wrist_side': (-20, 25, 0, 8),
}
_TABLE = dict(_MIDLINE)
for _side in ('left', 'right'):
    _TABLE.update({f'{_side}_{k}': v for k, v in _SIDES.items()})

#: Names of the angles, in the order of a pose vector.
ANGLES: tuple[str, ...] = tuple(_TABLE)
ANGLE_INDEX: dict[str, int] = {name: i for i, name in enumerate(ANGLES)}
LOWER, UPPER, NATURAL_MEAN, NATURAL_STD = (
    np.array(column, np.float64) for column in zip(*_TABLE.values())
)

_MIRROR = np.array(
    [
        ANGLE_INDEX[
            name.replace('left_', 'R_')
            .replace('right_', 'left_')
            .replace('R_', 'right_')
        ]
        for name in ANGLES
    ]
)
_HANDED = np.array(
    [
        -1.0
        if name
        in ('roll', 'spine_side', 'spine_twist', 'neck_side', 'neck_twist')
        else 1.0
        for name in ANGLES
    ]
)

# How the spine and the neck share their bend among their joints.
_SPINE = ((3, 0.4), (6, 0.35), (9, 0.25))
_NECK = ((12, 0.5), (15, 0.5))
_LEG = {'left': (1, 4, 7, 10), 'right': (2, 5, 8, 11)}
_ARM = {'left': (13, 16, 18, 20), 'right': (14, 17, 19, 21)}
# The collar bone takes part of an arm's swing beyond this angle.
_COLLAR_START, _COLLAR_SHARE, _COLLAR_MAX = 35.0, 0.22, 26.0


def angle_vector(**degrees: float) -> np.ndarray:
    """Make a pose vector from the angles that are not zero.

    A name without a side (``knee``) sets both sides.

    Returns:
        np.ndarray: (A,) degrees.

    Example:
        >>> pose = angle_vector(knee=30, left_knee=60)
        >>> pose[ANGLE_INDEX['right_knee']], pose[ANGLE_INDEX['left_knee']]
        (np.float64(30.0), np.float64(60.0))
    """
    pose = np.zeros(len(ANGLES))
    for name in sorted(degrees, key=lambda n: n in ANGLE_INDEX):
        if name in ANGLE_INDEX:
            pose[ANGLE_INDEX[name]] = degrees[name]
        else:
            for side in ('left_', 'right_'):
                pose[ANGLE_INDEX[side + name]] = degrees[name]
    return pose


def mirror_angles(pose: np.ndarray) -> np.ndarray:
    """Mirror poses (..., A) at the body's plane of symmetry."""
    return pose[..., _MIRROR] * _HANDED


def rotation_matrix(vector: np.ndarray) -> np.ndarray:
    """Turn rotation vectors (..., 3) in radians into matrices (..., 3, 3).

    .. math:: R = I + \\frac{\\sin a}{a} [v]_\\times
              + \\frac{1 - \\cos a}{a^2} [v]_\\times^2, \\qquad a = |v|
    """
    vector = np.asarray(vector, np.float64)
    angle = np.maximum(np.linalg.norm(vector, axis=-1), 1e-12)[..., None, None]
    x, y, z = np.moveaxis(vector, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1)
    cross = cross.reshape(vector.shape[:-1] + (3, 3))
    return (
        np.eye(3)
        + np.sin(angle) / angle * cross
        + (1 - np.cos(angle)) / angle**2 * (cross @ cross)
    )


def angles_to_rotations(pose: np.ndarray) -> np.ndarray:
    """Turn one pose vector into the 24 local SMPL rotations.

    The root rotation is in a world with +y up; the person faces +z.

    Args:
        pose: (A,) degrees.

    Returns:
        np.ndarray: (24, 3, 3), the root first.
    """
    angle = dict(zip(ANGLES, np.deg2rad(pose)))
    vector = np.zeros((24, 3))
    vector[0] = angle['pitch'], 0, 0
    for part, joints in (('spine', _SPINE), ('neck', _NECK)):
        bend = np.array(
            [
                angle[f'{part}_flexion'],
                angle[f'{part}_twist'],
                -angle[f'{part}_side'],
            ]
        )
        for joint, share in joints:
            vector[joint] = share * bend

    # Two more rotations per limb: a twist that comes before the swing.
    twist = np.zeros((24, 3))
    swings = {}
    for side, sign in (('left', 1.0), ('right', -1.0)):
        hip, knee, ankle, toes = _LEG[side]
        vector[hip] = _swing(angle, side, 'hip', sign)
        twist[hip] = 0, sign * angle[f'{side}_hip_twist'], 0
        vector[knee] = angle[f'{side}_knee'], 0, 0
        vector[ankle] = (
            -angle[f'{side}_ankle'],
            0,
            sign * angle[f'{side}_ankle_side'],
        )
        vector[toes] = -angle[f'{side}_toes'], 0, 0

        collar, shoulder, elbow, wrist = _ARM[side]
        swings[side] = _swing(angle, side, 'arm', sign)
        twist[shoulder] = angle[f'{side}_arm_twist'], 0, 0
        vector[elbow] = 0, -sign * angle[f'{side}_elbow'], 0
        # Pronation belongs to the forearm: the elbow takes a part of it.
        twist[elbow] = -0.4 * angle[f'{side}_forearm'], 0, 0
        twist[wrist] = -0.6 * angle[f'{side}_forearm'], 0, 0
        vector[wrist] = (
            0,
            -sign * angle[f'{side}_wrist_side'],
            -sign * angle[f'{side}_wrist'],
        )

    rotations = rotation_matrix(vector) @ rotation_matrix(twist)
    rotations[0] = (
        rotation_matrix(np.array([0, 0, -angle['roll']])) @ rotations[0]
    )
    for side, sign in (('left', 1.0), ('right', -1.0)):
        collar, shoulder, elbow, _ = _ARM[side]
        swing = swings[side]
        size = np.linalg.norm(swing) + 1e-9
        raised = np.clip(np.rad2deg(size) - _COLLAR_START, 0, None)
        raised = np.deg2rad(min(_COLLAR_SHARE * raised, _COLLAR_MAX))
        lift = rotation_matrix(swing / size * raised)
        hanging = rotation_matrix(np.array([0, 0, -sign * np.pi / 2]))
        rotations[collar] = lift
        rotations[shoulder] = (
            lift.T
            @ rotation_matrix(swing)
            @ hanging
            @ rotation_matrix(twist[shoulder])
        )
        # Bend first, then pronate about the bent forearm.
        rotations[elbow] = rotation_matrix(vector[elbow]) @ rotation_matrix(
            twist[elbow]
        )
    return rotations


def _swing(
    angle: dict[str, float], side: str, limb: str, sign: float
) -> np.ndarray:
    """Rotation vector that swings a hanging limb forwards and sideways."""
    swing = np.array(
        [
            -angle[f'{side}_{limb}_flexion'],
            0,
            sign * angle[f'{side}_{limb}_abduction'],
        ]
    )
    size = np.linalg.norm(swing)
    return swing * min(1.0, np.deg2rad(178.0) / max(size, 1e-9))
