"""A cheap test of whether a pose puts body parts through each other."""

from functools import lru_cache

import numpy as np

from mmd2a.body_models import load_embedded_body
from mmd2a.body_models.joint_sets import SMPL_PARENTS
from mmd2a.people.angles import angle_vector, angles_to_rotations

__all__ = ['joint_positions', 'penetration', 'rest_joints']

# Spheres along bones: (joint, joint, radius in metres, number).
_CAPSULES = (
    (0, 3, 0.125, 2),
    (3, 9, 0.125, 3),
    (9, 12, 0.09, 2),
    (15, 15, 0.105, 1),
    (1, 4, 0.07, 4),
    (2, 5, 0.07, 4),
    (4, 7, 0.05, 4),
    (5, 8, 0.05, 4),
    (7, 10, 0.04, 2),
    (8, 11, 0.04, 2),
    (16, 18, 0.045, 3),
    (17, 19, 0.045, 3),
    (18, 20, 0.038, 3),
    (19, 21, 0.038, 3),
    (20, 22, 0.035, 2),
    (21, 23, 0.035, 2),
)


@lru_cache(maxsize=1)
def rest_joints() -> np.ndarray:
    """Joints (24, 3) of the embedded body's mean shape at rest, metres."""
    body = load_embedded_body()
    return (body['J_regressor'] @ body['v_template']).astype(np.float64)


def joint_positions(rotations: np.ndarray) -> np.ndarray:
    """Forward kinematics of the mean shape, pelvis at its rest place.

    Args:
        rotations: (24, 3, 3) local rotations, the root first.

    Returns:
        np.ndarray: (24, 3) metres, in the frame of the root rotation.
    """
    return _kinematics(rotations)[1]


def penetration(rotations: np.ndarray) -> float:
    """Deepest overlap in metres of spheres that should not touch; 0 if none.

    Parts that already touch in a relaxed stance, neighbours for instance, are
    left out.
    """
    centre = _sphere_centres(rotations)
    distance = np.linalg.norm(centre[:, None] - centre[None], axis=-1)
    return float(np.max(_reach() - distance, initial=0.0))


def _kinematics(rotations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rest = rest_joints()
    turns, places = [rotations[0]], [rest[0]]
    for joint in range(1, 24):
        parent = SMPL_PARENTS[joint]
        turns.append(turns[parent] @ rotations[joint])
        places.append(
            places[parent] + turns[parent] @ (rest[joint] - rest[parent])
        )
    return np.stack(turns), np.stack(places)


def _sphere_centres(rotations: np.ndarray) -> np.ndarray:
    turns, places = _kinematics(rotations)
    centres = []
    for start, end, _, number in _CAPSULES:
        share = (np.arange(number) + 0.5)[:, None] / number
        centres.append((1 - share) * places[start] + share * places[end])
    # The head's centre lies above and before the joint at its base.
    centres[3] = centres[3] + turns[15] @ np.array([0, 0.06, 0.02])
    return np.concatenate(centres)


@lru_cache(maxsize=1)
def _reach() -> np.ndarray:
    """Least allowed distance of every two spheres (S, S), metres."""
    radius = np.concatenate([[r] * n for _, _, r, n in _CAPSULES])
    reach = radius[:, None] + radius[None]
    relaxed = angles_to_rotations(
        angle_vector(arm_abduction=22, hip_abduction=7, elbow=15)
    )
    centre = _sphere_centres(relaxed)
    distance = np.linalg.norm(centre[:, None] - centre[None], axis=-1)
    reach[distance < reach + 0.01] = 0
    bone = np.concatenate([[i] * n for i, (*_, n) in enumerate(_CAPSULES)])
    ends = [set(c[:2]) for c in _CAPSULES]
    for i, j in np.ndindex(reach.shape):
        if ends[bone[i]] & ends[bone[j]]:
            reach[i, j] = 0
    return reach
