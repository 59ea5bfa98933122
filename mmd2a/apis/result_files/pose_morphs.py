"""Pose blend shapes as the morph targets of one motion."""

import numpy as np
import torch
from numpy.typing import NDArray

from mmd2a.apis.result_files.motion import Motion
from mmd2a.body_models import pose_directions

__all__ = ['find_pose_morphs']

_FRAMES_AT_ONCE = 32


def find_pose_morphs(
    motion: Motion, tolerance: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    r"""Find the fewest displacements that make up those of a motion.

    The pose displaces the rest vertices by :math:`P f_t` in frame t, with
    :math:`f_t = \operatorname{vec}(R_{1..23} - I)`. The singular vectors of
    all :math:`P f_t` are the displacements, of which the first M are kept:
    as few as leave no vertex of the rest pose farther off than allowed.
    Skinning does not make that distance longer.

    T: frames, V: vertices, M: morph targets, at most 207 and at most T.

    Args:
        motion: the motion.
        tolerance: metres, above 0.

    Returns:
        Displacements (M, V, 3) in metres, and how much of each there is in
        each frame, (T, M) within [-1, 1].

    Raises:
        ValueError: ``tolerance`` is not above 0.
    """
    if not tolerance > 0:
        raise ValueError(
            f'morph_tolerance is {tolerance}: give metres above 0, such as '
            '1e-4, or None to leave pose blend shapes out'
        )
    with torch.no_grad():
        planes = pose_directions(motion.body).flatten(1).cpu().double()
    features = (motion.rotations[:, 1:] - np.eye(3)).reshape(len(motion), -1)
    # Twice a basis of few directions, so that nothing large is decomposed: of
    # the features, then of the displacements that they lead to.
    shares, basis = np.linalg.qr(features)
    directions, mix = np.linalg.qr((basis @ planes.numpy()).T)
    left, sizes, right = np.linalg.svd(shares @ mix.T, full_matrices=False)
    targets, amounts = right @ directions.T, left * sizes

    low, high = 0, len(sizes)
    while low < high:
        middle = (low + high) // 2
        left_out = _longest(amounts[:, middle:], targets[middle:])
        low, high = (
            (low, middle) if left_out <= tolerance else (middle + 1, high)
        )
    targets, amounts = targets[:high], amounts[:, :high]
    scale = np.abs(amounts).max(0, initial=0)
    targets = (targets * scale[:, None]).reshape(
        high, motion.body.num_vertices, 3
    )
    return targets.astype('<f4'), (amounts / scale).astype('<f4')


def _longest(amounts: NDArray, targets: NDArray) -> float:
    """Longest displacement of a vertex in any frame, metres."""
    longest = 0.0
    for start in range(0, len(amounts), _FRAMES_AT_ONCE):
        moved = amounts[start : start + _FRAMES_AT_ONCE] @ targets
        moved = np.linalg.norm(moved.reshape(len(moved), -1, 3), axis=-1)
        longest = max(longest, float(moved.max(initial=0)))
    return longest
