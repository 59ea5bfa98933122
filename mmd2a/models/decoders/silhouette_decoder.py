"""Silhouette decoder: tokens and image features to a person mask."""

from collections.abc import Sequence

from torch import Tensor, nn

from mmd2a.models.resampling import interpolate_map
from mmd2a.registry import MODELS
from mmd2a.structures import TokenMap


@MODELS.register_module()
class SilhouetteDecoder(nn.Module):
    """Decode a person mask, eight times finer than the token grid.

    Tokens are reduced to few channels and pass three blocks, each doubling
    the size (bilinear), convolving 3x3, normalising and rectifying. Image
    features F(I), reduced alike, are added where the map is closest to them
    in size. A 1x1 convolution gives the logits.

    B: batch, N = h w: tokens, C: token width.

    Args:
        in_channels: C.
        skip_channels: channels of the image feature map, or of each of them;
            ``()``: tokens alone, such as a view that no image shows.
        channels: channels inside; the cost grows with their square.

    D2A-HMR, decoder D: inputs and output are drawn, the layers are our
    choice.

    Example:
        >>> import torch
        >>> decoder = SilhouetteDecoder(64, skip_channels=(16, 32))
        >>> features = [torch.zeros(2, 16, 56, 56), torch.zeros(2, 32, 28, 28)]
        >>> z = TokenMap(torch.zeros(2, 49, 64), (7, 7))
        >>> decoder(z, features).shape
        torch.Size([2, 1, 56, 56])
    """

    num_blocks = 3

    def __init__(
        self,
        in_channels: int,
        skip_channels: int | Sequence[int] = (),
        channels: int = 16,
    ) -> None:
        super().__init__()
        if isinstance(skip_channels, int):
            skip_channels = [skip_channels]
        self.reduce = nn.Linear(in_channels, channels)
        self.skips = nn.ModuleList(
            nn.Conv2d(c, channels, 1) for c in skip_channels
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, channels, 3, padding=1, bias=False),
                nn.GroupNorm(4, channels),
                nn.ReLU(),
            )
            for _ in range(self.num_blocks)
        )
        self.output = nn.Conv2d(channels, 1, 1)

    def forward(
        self, z: TokenMap, features: Tensor | Sequence[Tensor] = ()
    ) -> Tensor:
        """Decode tokens.

        Args:
            z: encoder output (B, N, C) on (h, w).
            features: image feature map(s) (B, skip_channels, h', w'), any
                sizes.

        Returns:
            Logits (B, 1, 8 h, 8 w).
        """
        if isinstance(features, Tensor):
            features = [features]
        if len(features) != len(self.skips):
            raise ValueError(
                f'built for {len(self.skips)} feature maps, got '
                f'{len(features)}'
            )
        tokens, grid, _ = TokenMap.checked(z)
        sizes = [
            (grid[0] * 2**i, grid[1] * 2**i)
            for i in range(self.num_blocks + 1)
        ]
        skips: dict[int, list[Tensor]] = {}
        for reduce, feature in zip(self.skips, features):
            height = feature.shape[-2]
            level = min(
                range(len(sizes)),
                key=lambda i: max(height / sizes[i][0], sizes[i][0] / height),
            )
            skip = interpolate_map(reduce(feature), sizes[level])
            skips.setdefault(level, []).append(skip)

        x = TokenMap(self.reduce(tokens), grid).as_map()
        x = sum(skips.get(0, []), x)
        for i, block in enumerate(self.blocks, start=1):
            x = sum(skips.get(i, []), interpolate_map(x, sizes[i]))
            x = block(x)
        return self.output(x)
