"""The root of a body: the origin that poses are compared at."""

from collections.abc import Sequence

from torch import Tensor


def root_position(joints: Tensor, root: Sequence[int]) -> Tensor:
    """Return the mean of the root joints, which is the origin of a pose.

    Args:
        joints: (..., J, D), any unit.
        root: indices of the root joints, such as both hips.

    Returns:
        (..., 1, D), to be subtracted from joints and vertices alike.

    Example:
        >>> import torch
        >>> joints = torch.tensor([[1., 0, 4], [3, 0, 4], [2, 9, 4]])
        >>> root_position(joints, (0, 1))
        tensor([[2., 0., 4.]])
    """
    return joints[..., list(root), :].mean(-2, keepdim=True)


def root_is_known(weight: Tensor, root: Sequence[int]) -> Tensor:
    """Tell whose root joints are all labelled.

    Labels relative to a root that is not known mean nothing.

    Args:
        weight: weights of the joints (..., J), above 0 where labelled.
        root: indices of the root joints.

    Returns:
        bool (...).

    Example:
        >>> import torch
        >>> root_is_known(torch.tensor([[1., 1, 0], [1, 0, 1]]), (0, 1))
        tensor([ True, False])
    """
    return (weight[..., list(root)] > 0).all(-1)
