"""Joints found in an image, and what the network saw under them."""

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ['LocalizedJoints']


class LocalizedJoints(NamedTuple):
    """Joints of a batch of crops, where they were found and how surely.

    B: batch, J: joints, F: width of their features, (h, w): heat map.

    A tuple, so that exporters and compilers see through it.

    Attributes:
        keypoints2d: (B, J, 2) in crop coordinates, [-1, 1] over the crop.
        spread: (B, J, 2) standard deviation of the heat map along x and y, in
            crop coordinates: small where the joint is seen clearly.
        features: (B, J, F) features under the heat map of each joint.
        logits: (B, J, h, w) heat maps before the softmax over their cells.

    Example:
        >>> joints = LocalizedJoints(
        ...     torch.zeros(2, 14, 2), torch.ones(2, 14, 2),
        ...     torch.zeros(2, 14, 8), torch.zeros(2, 14, 24, 24))
        >>> joints.flat().shape
        torch.Size([2, 168])
    """

    keypoints2d: Tensor
    spread: Tensor
    features: Tensor
    logits: Tensor

    def flat(self) -> Tensor:
        """All that is known of the joints of a person, (B, J (F + 4))."""
        return torch.cat(
            [self.keypoints2d, self.spread, self.features], -1
        ).flatten(1)

    @staticmethod
    def width(num_joints: int, channels: int) -> int:
        """Length of :meth:`flat`: J (F + 4)."""
        return num_joints * (channels + 4)
