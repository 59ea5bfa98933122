"""Where poses come from: motions, a joint-limit sampler, users' own files.

Everyday people are a mixture of phases of hand-written motions and of poses
drawn within anatomical limits; the held-out split does acrobatics. Either way
a pose is drawn anew while arms or legs pass through the body, and is tilted
so that the centre of mass comes to stand over the feet.

A: angles, T: frames.
"""

from typing import NamedTuple

import numpy as np

from mmd2a.people.angles import (
    ANGLE_INDEX,
    ANGLES,
    LOWER,
    NATURAL_MEAN,
    NATURAL_STD,
    UPPER,
    angles_to_rotations,
    mirror_angles,
    rotation_matrix,
)
from mmd2a.people.collisions import joint_positions, penetration
from mmd2a.people.motions import ACROBATICS, EVERYDAY, Motion, pose_at

__all__ = ['SPLITS', 'Pose', 'sample_limits', 'sample_pose']

#: Splits and the number that enters their random seeds.
SPLITS: dict[str, int] = dict(train=0, val=1, test=2, ood=3)

# Overlap of body parts that is let pass (flesh gives way), and how often a
# pose is drawn anew before the least bad one is taken.
_ALLOWED_OVERLAP, _MAX_DRAWS = 0.025, 12
_SAMPLED_SHARE, _FILE_SHARE = 0.35, 0.5
# Each split has its own people, with their own way of moving.
_STYLES_PER_SPLIT = 4000

_ARMS = np.array(
    [('arm' in n or 'elbow' in n or 'wrist' in n) for n in ANGLES]
)
_TRUNK = np.array([n.startswith(('pitch', 'roll')) for n in ANGLES])
_LEFT = np.array([n.startswith('left_') for n in ANGLES])
_RIGHT = np.array([n.startswith('right_') for n in ANGLES])
# Share of the body's mass carried by each joint, roughly (Winter, 2009).
_MASS = np.array(
    [
        14,
        6,
        6,
        8,
        4,
        4,
        9,
        1.5,
        1.5,
        10,
        0.5,
        0.5,
        3,
        3,
        3,
        7,
        3,
        3,
        2,
        2,
        1.5,
        1.5,
        0.5,
        0.5,
    ]
)
_SUPPORT = (7, 8, 10, 11)


class Pose(NamedTuple):
    """What a person does.

    Attributes:
        motion: name of the motion, 'sampled', or a file's name.
        rotations: (24, 3, 3) local rotations; the root's is in a world with
            +y up in which the person faces +z.
        lift: height of the lowest point over the floor, metres.
        seat: whether the person sits on something.
    """

    motion: str
    rotations: np.ndarray
    lift: float = 0.0
    seat: bool = False


def sample_pose(
    rng: np.random.Generator,
    split: str,
    seed: int = 0,
    frames: np.ndarray | None = None,
) -> Pose:
    """Draw a pose.

    Args:
        rng: source of randomness.
        split: one of :data:`SPLITS`; 'ood' draws from the acrobatics.
        seed: seed of the data set, from which the split's people come.
        frames: (T, 24, 3) axis-angle poses of the user's own motions, from
            which half of the people then take theirs.

    Returns:
        Pose: half of the time mirrored.
    """
    person = np.random.default_rng(
        [seed, SPLITS[split], int(rng.integers(_STYLES_PER_SPLIT)), 7]
    )
    style = person.normal(size=len(ANGLES))
    if frames is not None and split != 'ood' and rng.random() < _FILE_SHARE:
        return _frame_pose(rng, frames)
    if split != 'ood' and rng.random() < _SAMPLED_SHARE:
        motion = None
    else:
        motions = ACROBATICS if split == 'ood' else EVERYDAY
        weight = np.array([m.weight for m in motions])
        motion = motions[rng.choice(len(motions), p=weight / weight.sum())]

    best: np.ndarray | None = None
    least = np.inf
    for _ in range(_MAX_DRAWS):
        if motion is None:
            angles = sample_limits(rng)
        else:
            angles, height = _motion_angles(rng, motion, style)
        rotations = angles_to_rotations(angles)
        overlap = penetration(rotations)
        if overlap < least:
            best, least = angles, overlap
            lift = 0.0 if motion is None else height
        if overlap < _ALLOWED_OVERLAP:
            break
    assert best is not None  # Any overlap is less than infinite.
    if rng.random() < 0.5:
        best = mirror_angles(best)
    rotations = angles_to_rotations(best)
    if motion is None or motion.balanced:
        rotations[0] = _balance(rotations) @ rotations[0]
    if motion is None:
        return Pose('sampled', rotations)
    return Pose(motion.name, rotations, lift, motion.seat)


def sample_limits(rng: np.random.Generator) -> np.ndarray:
    """Draw a standing or crouching pose within the limits of the joints.

    Every angle is a bounded normal variable; sides share a part of theirs,
    deep hips bend knees and trunk with them, and effort (one number) spreads
    all limbs, so that rest is as frequent as exertion.

    Returns:
        np.ndarray: (A,) degrees, within the limits.
    """
    noise = rng.normal(size=len(ANGLES))
    # One common draw for both sides, mixed in by a coupling of the person.
    common = rng.normal(size=int(_LEFT.sum()))
    coupling = rng.beta(1.2, 1.6)
    for limbs in (_LEFT, _RIGHT):
        noise[limbs] = (
            np.sqrt(coupling) * common + np.sqrt(1 - coupling) * noise[limbs]
        )
    effort = rng.uniform(0.35, 1.35)
    spread = np.where(_ARMS, rng.uniform(0.5, 1.3), effort)
    spread[_TRUNK] = 1
    angles = NATURAL_MEAN + NATURAL_STD * noise * spread

    def add(name: str, value: float) -> None:
        angles[ANGLE_INDEX[name]] += value

    crouch = 0.0
    for side in ('left', 'right'):
        flexion = angles[ANGLE_INDEX[f'{side}_hip_flexion']]
        # A raised thigh lets the shin hang; a thigh behind bends it too.
        add(f'{side}_knee', 0.75 * max(flexion, 0) + 0.3 * max(-flexion, 0))
        crouch += max(flexion, 0) / 2
    add('spine_flexion', 0.12 * crouch)
    # Arms behind the back do not bend up, arms overhead do not cross.
    for side in ('left', 'right'):
        back = min(angles[ANGLE_INDEX[f'{side}_arm_flexion']], 0)
        add(f'{side}_elbow', 0.6 * back)
    return np.clip(angles, LOWER, UPPER)


def _motion_angles(
    rng: np.random.Generator, motion: Motion, style: np.ndarray
) -> tuple[np.ndarray, float]:
    """One phase of a motion in a person's style: angles (A,), lift."""
    phase = rng.random()
    angles = pose_at(motion, phase)
    amplitude = np.where(_TRUNK, 1.0, np.clip(rng.normal(1, 0.13), 0.6, 1.35))
    amplitude = amplitude * np.where(_ARMS, rng.uniform(0.8, 1.15), 1.0)
    angles = angles * amplitude
    noise = 0.7 * style + 0.8 * rng.normal(size=len(ANGLES))
    angles += motion.noise * np.where(_TRUNK, 0.6, 1.0) * noise
    angles[ANGLE_INDEX['neck_twist']] += rng.normal() * 16
    angles[ANGLE_INDEX['neck_flexion']] += rng.normal() * 8
    if rng.random() < motion.limbs_free:
        other = sample_limits(rng)
        if rng.random() < 0.6:
            angles[_ARMS] = other[_ARMS]
        else:
            one = _ARMS & (_LEFT if rng.random() < 0.5 else _RIGHT)
            angles[one] = other[one]
    # Performers of acrobatics go a little beyond everyday ranges.
    margin = 0.0 if motion in EVERYDAY else 25.0
    limited = np.clip(angles, LOWER - margin, UPPER + margin)
    angles = np.where(_TRUNK, angles, limited)
    for side in ('left', 'right'):
        for hinge in ('knee', 'elbow'):
            i = ANGLE_INDEX[f'{side}_{hinge}']
            angles[i] = np.clip(angles[i], 0, UPPER[i])
    height = motion.lift * rng.uniform(0.3, 1.2) * np.sin(np.pi * phase)
    return angles, height


def _balance(rotations: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) of the world that puts the body over its support."""
    joints = joint_positions(rotations)
    mass = _MASS @ joints / _MASS.sum()
    feet = joints[list(_SUPPORT)]
    # Feet near the floor bear the weight, smoothly shared between them.
    share = np.exp(-(feet[:, 1] - feet[:, 1].min()) / 0.04)
    up = mass - share @ feet / share.sum()
    up /= np.linalg.norm(up)
    axis = np.cross(up, [0, 1, 0])
    size = np.linalg.norm(axis)
    angle = min(np.arctan2(size, up[1]), np.deg2rad(35))
    return rotation_matrix(axis / max(size, 1e-9) * angle)


def _frame_pose(rng: np.random.Generator, frames: np.ndarray) -> Pose:
    """One frame of a user's motion, half of the time mirrored."""
    frame = np.asarray(frames[rng.integers(len(frames))], np.float64)
    if rng.random() < 0.5:
        frame = frame[_SMPL_FLIP] * [1, -1, -1]
    return Pose('file', rotation_matrix(frame))


_SMPL_FLIP = np.array(
    [
        0,
        2,
        1,
        3,
        5,
        4,
        6,
        8,
        7,
        9,
        11,
        10,
        12,
        14,
        13,
        15,
        17,
        16,
        19,
        18,
        21,
        20,
        23,
        22,
    ]
)
