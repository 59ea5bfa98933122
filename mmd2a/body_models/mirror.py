"""Left-right mirror images of SMPL poses."""

from torch import Tensor

from mmd2a.body_models.joint_sets import JOINT_SETS, flip_pairs

__all__ = ['SMPL_FLIP_PERMUTATION', 'mirror_pose']


def _permutation(joint_set: str) -> tuple[int, ...]:
    order = list(range(len(JOINT_SETS[joint_set])))
    for left, right in flip_pairs(joint_set):
        order[left], order[right] = right, left
    return tuple(order)


SMPL_FLIP_PERMUTATION: tuple[int, ...] = _permutation('smpl24')
# Hands as a whole, which SMPL has last, are not of SMPL-H and SMPL-X.
_ORDERS = {24: SMPL_FLIP_PERMUTATION, 22: SMPL_FLIP_PERMUTATION[:22]}


def mirror_pose(pose: Tensor) -> Tensor:
    r"""Mirror a pose at the plane x = 0.

    Swaps left and right joints and reflects each rotation,
    :math:`R \to D R D` with :math:`D = \mathrm{diag}(-1, 1, 1)`; for an
    axis-angle vector, :math:`(x, y, z) \to (x, -y, -z)`. Works in the body's
    rest frame and in the OpenCV camera frame alike, where x points sideways.

    Args:
        pose: axis-angle vectors of the 24 joints (..., 24, 3), rad; or of
            the first 22, the body of SMPL-H and SMPL-X.

    Returns:
        Tensor: the mirrored pose, of the same shape.

    Example:
        >>> import torch
        >>> mirror_pose(torch.eye(3).repeat(8, 1)).shape
        torch.Size([24, 3])
    """
    order = _ORDERS.get(pose.shape[-2]) if pose.ndim > 1 else None
    if order is None or pose.shape[-1] != 3:
        raise ValueError(
            f'pose has shape {tuple(pose.shape)}, expected (..., 24, 3) or '
            '(..., 22, 3)'
        )
    swapped = pose[..., list(order), :]
    return swapped * swapped.new_tensor([1.0, -1.0, -1.0])
