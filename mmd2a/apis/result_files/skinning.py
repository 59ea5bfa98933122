"""Linear skinning as a viewer of glTF does it."""

import numpy as np
from numpy.typing import NDArray

from mmd2a.body_models import SMPL_PARENTS

__all__ = ['joint_motions', 'skin_vertices', 'strongest_influences']

FloatArray = NDArray[np.float64]


def strongest_influences(
    weights: NDArray, max_influences: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Keep the joints that move each vertex most, in sets of four.

    V: vertices, J: joints, K: influences kept, 4 or 8.

    Args:
        weights: (V, J), rows sum to 1.
        max_influences: 4, which every viewer reads, or 8.

    Returns:
        Joints (V, K) and their weights (V, K), the strongest first, rows sum
        to 1 again. K is 8 only where more than four joints move some vertex.

    Example:
        >>> joints, kept = strongest_influences(np.full((1, 5), 0.2), 4)
        >>> kept
        array([[0.25, 0.25, 0.25, 0.25]], dtype=float32)
    """
    if max_influences not in (4, 8):
        raise ValueError(
            f'max_influences is {max_influences}, expected 4 or 8: viewers '
            'read joints in sets of four'
        )
    needed = int((weights > 0).sum(1).max())
    number = 4 if needed <= 4 else max_influences
    order = np.argsort(-weights, 1, kind='stable')[:, :number]
    kept = np.take_along_axis(weights, order, 1).astype(np.float64)
    kept /= kept.sum(1, keepdims=True)
    # Where the weight is zero the joint has to be zero too.
    return np.where(kept > 0, order, 0).astype('u1'), kept.astype('<f4')


def joint_motions(
    rotations: FloatArray, root: FloatArray, rest_joints: FloatArray
) -> tuple[FloatArray, FloatArray]:
    r"""Walk the tree: turns (T, J, 3, 3) and places (T, J, 3) of joints.

    .. math:: G_j = G_{p(j)} R_j, \quad
              x_j = x_{p(j)} + G_{p(j)} (J_j - J_{p(j)})

    Args:
        rotations: (T, J, 3, 3) relative to the parents.
        root: places of the root (T, 3), metres.
        rest_joints: (J, 3) metres.

    Example:
        >>> eye = np.eye(3) + np.zeros((1, 24, 1, 1))
        >>> joint_motions(eye, np.ones((1, 3)), np.zeros((24, 3)))[1].max()
        np.float64(1.0)
    """
    turns, places = [rotations[:, 0]], [root]
    for joint, parent in enumerate(SMPL_PARENTS[1:], start=1):
        bone = rest_joints[joint] - rest_joints[parent]
        places.append(places[parent] + turns[parent] @ bone)
        turns.append(turns[parent] @ rotations[:, joint])
    return np.stack(turns, 1), np.stack(places, 1)


def skin_vertices(
    rest: FloatArray,
    influences: tuple[NDArray, NDArray],
    turns: FloatArray,
    places: FloatArray,
    rest_joints: FloatArray,
) -> FloatArray:
    r"""Blend the motions of joints: (T, V, 3).

    .. math:: v = \sum_k w_k \, (G_{j_k} (\bar v - J_{j_k}) + x_{j_k})

    Args:
        rest: (V, 3), or (T, V, 3) with displacements of the pose, metres.
        influences: joints and weights (V, K).
        turns, places: see :func:`joint_motions`.
        rest_joints: (J, 3) metres.

    Example:
        >>> one = np.zeros((2, 1), int), np.ones((2, 1))
        >>> skin_vertices(np.zeros((2, 3)), one, np.eye(3)[None, None],
        ...               np.ones((1, 1, 3)), np.zeros((1, 3)))[0, 0]
        array([1., 1., 1.])
    """
    joints, weights = influences
    dense = np.zeros((len(joints), len(rest_joints)))
    # Empty places name joint 0 with weight 0: they have to add up.
    np.add.at(dense, (np.arange(len(joints))[:, None], joints), weights)
    shifts = places - np.einsum('tjab,jb->tja', turns, rest_joints)
    blend = np.einsum('vj,tjab->tvab', dense, turns, optimize=True)
    posed = (blend @ np.broadcast_to(rest, blend.shape[:-1])[..., None])[
        ..., 0
    ]
    return posed + dense @ shifts
