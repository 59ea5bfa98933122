"""A light convolutional stem for depth maps."""

import math
from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmd2a.registry import MODELS


@MODELS.register_module()
class DepthBranch(BaseModule):
    r"""Turn a depth map into a feature map, at a few percent of a backbone.

    A strided convolution (5 x 5, stride 4), then a level per further entry of
    ``channels``: one 3 x 3 convolution of stride 2 and ``extra_convs`` of
    stride 1, each followed by GroupNorm and GELU. As in a CNN backbone, sizes
    round up: :math:`h = \lceil H / stride \rceil`.

    GroupNorm and not BatchNorm: the features of a person with depth must not
    depend on how many others in the batch have none.

    B: batch, (H, W): crop, (h, w): feature grid.

    Args:
        in_channels: 2: normalised depth and its validity (1 or 0), both
            finite, as ``BodyDataPreprocessor`` gives them.
        channels: width after each convolution; ``out_channels`` is the last
            and ``stride`` is 4 * 2^(len(channels) - 1), 16 by default.
        extra_convs: further convolutions per level, after the first level.
        init_cfg: MMEngine initialisation.

    D2A-HMR passes depth through a CNN; a separate and light one is our
    choice. For the image's architecture name a backbone here instead.

    Example:
        >>> import torch
        >>> branch = DepthBranch()
        >>> branch(torch.zeros(2, 2, 96, 96)).shape
        torch.Size([2, 128, 6, 6])
    """

    def __init__(
        self,
        in_channels: int = 2,
        channels: Sequence[int] = (32, 64, 128),
        extra_convs: int = 0,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        if init_cfg is None:
            init_cfg = [
                dict(type='Kaiming', layer='Conv2d'),
                dict(type='Constant', layer='GroupNorm', val=1, bias=0),
            ]
        super().__init__(init_cfg)
        self.out_channels = channels[-1]
        self.stride = 4 * 2 ** (len(channels) - 1)
        layers: list[nn.Module] = []
        for i, width in enumerate(channels):
            kernel, stride = (5, 4) if i == 0 else (3, 2)
            layers += _conv(in_channels, width, kernel, stride)
            if i > 0:
                for _ in range(extra_convs):
                    layers += _conv(width, width, 3, 1)
            in_channels = width
        self.layers = nn.Sequential(*layers)

    def forward(self, depth: Tensor) -> Tensor:
        """Map depth (B, 2, H, W) to features (B, out_channels, h, w)."""
        return self.layers(depth)


def _conv(
    in_channels: int, channels: int, kernel: int, stride: int
) -> list[nn.Module]:
    return [
        nn.Conv2d(
            in_channels,
            channels,
            kernel,
            stride=stride,
            padding=kernel // 2,
            bias=False,
        ),
        nn.GroupNorm(math.gcd(8, channels), channels),
        nn.GELU(),
    ]
