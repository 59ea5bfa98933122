"""Features of image and depth on their way from a backbone to a neck."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor


class RGBDFeatures(NamedTuple):
    """Feature maps of both streams, and who of the batch has depth.

    B: batch, (h_i, w_i): grid of map i, C_i: its channels.

    Attributes:
        image: maps (B, C_i, h_i, w_i) of the image backbone, in its order.
        depth: maps (B, C_i, h_i, w_i) of the depth branch, in its order.
        has_depth: (B,), 0 where a sample has no valid depth.

    Example:
        >>> maps = RGBDFeatures(image=(torch.zeros(2, 8, 4, 4), ),
        ...                     depth=(torch.zeros(2, 4, 4, 4), ),
        ...                     has_depth=torch.ones(2))
        >>> maps.image[-1].shape
        torch.Size([2, 8, 4, 4])
    """

    image: tuple[Tensor, ...]
    depth: tuple[Tensor, ...]
    has_depth: Tensor

    @classmethod
    def of_nobody(
        cls, image: Tensor, depth_channels: Sequence[int]
    ) -> 'RGBDFeatures':
        """Add to a map (B, C, h, w) the depth of a batch that has none."""
        size = (image.shape[0], *image.shape[-2:])
        return cls(
            image=(image,),
            depth=tuple(
                image.new_zeros(size[0], channels, *size[1:])
                for channels in depth_channels
            ),
            has_depth=image.new_zeros(size[0]),
        )
