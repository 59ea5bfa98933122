"""Token maps to the numbers of one person, knowing what was where."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TokenRegressor(nn.Module):
    """Flatten image and depth tokens on a fixed grid, then regress.

    Tokens are reduced to few channels, averaged onto a (g, g) grid and
    flattened, so each position has its own weights; averaging all tokens
    would blur where a limb is. Any token grid fits. Depth, the skip of
    D2A-HMR into R, enters twice: beside the image features, and by a linear
    path straight to the output. The output starts at about a hundredth of
    its input's size.

    Without depth (``has_depth`` 0) the depth part is exactly zero, whatever
    the depth tokens hold.

    B: batch, N = h w, N': tokens, C, C': their widths, F: hidden width, O:
    number of outputs.

    Args:
        in_channels: C.
        depth_channels: C', or None for no depth and no parameters for it.
        hidden: F.
        num_outputs: O.
        reduced: channels an image token is reduced to.
        depth_reduced: channels a depth token is reduced to.
        grid_size: g.
    """

    def __init__(
        self,
        in_channels: int,
        depth_channels: int | None,
        hidden: int,
        num_outputs: int,
        reduced: int = 32,
        depth_reduced: int = 16,
        grid_size: int = 6,
    ) -> None:
        super().__init__()
        self.grid_size = grid_size
        self.norm = nn.LayerNorm(in_channels)
        self.reduce = nn.Linear(in_channels, reduced)
        self.depth_channels = depth_channels
        flat_channels = reduced * grid_size**2
        if depth_channels is not None:
            self.depth_reduce = nn.Linear(depth_channels, depth_reduced)
            flat_depth_channels = depth_reduced * grid_size**2
            flat_channels += flat_depth_channels
            self.depth_output = nn.Linear(
                flat_depth_channels, num_outputs, bias=False
            )
            _start_small(self.depth_output)
        self.mix = nn.Sequential(nn.Linear(flat_channels, hidden), nn.GELU())
        self.output = nn.Linear(hidden, num_outputs)
        _start_small(self.output)

    def forward(
        self,
        z: Tensor,
        grid: tuple[int, int],
        depth_tokens: Tensor | None = None,
        has_depth: Tensor | None = None,
        depth_grid: tuple[int, int] | None = None,
    ) -> Tensor:
        """Turn tokens (B, N, C) into numbers.

        Args:
            z: (B, N, C).
            grid: (h, w).
            depth_tokens: (B, N', C'), or None if no sample has depth.
            has_depth: (B,), above 0 where the depth tokens are to be used;
                None: all.
            depth_grid: grid of the depth tokens where it is not ``grid``.

        Returns:
            (B, O).
        """
        flat = self._flatten(self.reduce(self.norm(z)), grid)
        if self.depth_channels is None:
            return self.output(self.mix(flat))
        if depth_tokens is None:
            # The depth weights stay in the graph, with a zero gradient.
            depth_tokens = z.new_zeros(*z.shape[:2], self.depth_channels)
            has_depth, depth_grid = z.new_zeros(len(z)), grid
        elif has_depth is None:
            has_depth = z.new_ones(len(z))
        if depth_grid is None:
            depth_grid = grid
        closed = (has_depth <= 0).reshape(-1, 1)
        # Twice: tokens that are not finite must reach neither the product
        # nor its gradient, and the bias is no depth either.
        depth_tokens = depth_tokens.masked_fill(closed[..., None], 0.0)
        flat_depth = self._flatten(self.depth_reduce(depth_tokens), depth_grid)
        flat_depth = flat_depth.masked_fill(closed, 0.0)
        features = self.mix(torch.cat([flat, flat_depth], 1))
        return self.output(features) + self.depth_output(flat_depth)

    def _flatten(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        """(B, N, c) -> (B, c g g)."""
        if tokens.shape[1] != grid[0] * grid[1]:
            raise ValueError(
                f'{tokens.shape[1]} tokens do not fill a grid {tuple(grid)}'
            )
        maps = tokens.transpose(1, 2).unflatten(2, tuple(grid))
        return F.adaptive_avg_pool2d(maps, self.grid_size).flatten(1)


def _start_small(layer: nn.Linear) -> None:
    """Not at zero, where the layers before it would get no gradient."""
    nn.init.normal_(layer.weight, std=0.01 * layer.in_features**-0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
