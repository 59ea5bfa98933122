"""Token maps to one vector per person that still knows what was where."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TokenFeatures(nn.Module):
    """Flatten image and depth tokens on a fixed grid, then mix them.

    Tokens are reduced to few channels, averaged onto a (g, g) grid and
    flattened, so each position has its own weights; averaging all tokens
    would blur where a limb is. Any token grid fits.

    Without depth (``has_depth`` 0) the depth part is exactly zero, whatever
    the depth tokens hold.

    B: batch, N = h w, N': tokens, C, C': their widths, F: features, G:
    flattened depth features.

    Args:
        in_channels: C.
        depth_channels: C', or None for no depth and no parameters for it.
        hidden: F.
        reduced: channels an image token is reduced to.
        depth_reduced: channels a depth token is reduced to.
        grid_size: g.
    """

    def __init__(self, in_channels: int, depth_channels: int | None,
                 hidden: int, reduced: int = 32, depth_reduced: int = 16,
                 grid_size: int = 6) -> None:
        super().__init__()
        self.grid_size = grid_size
        self.norm = nn.LayerNorm(in_channels)
        self.reduce = nn.Linear(in_channels, reduced)
        self.flat_depth_channels = 0
        if depth_channels is not None:
            self.depth_reduce = nn.Linear(depth_channels, depth_reduced)
            self.flat_depth_channels = depth_reduced * grid_size ** 2
        self.depth_channels = depth_channels
        self.mix = nn.Sequential(
            nn.Linear(reduced * grid_size ** 2 + self.flat_depth_channels,
                      hidden), nn.GELU())

    def forward(self, z: Tensor, grid: tuple[int, int],
                depth_tokens: Tensor | None = None,
                has_depth: Tensor | None = None,
                depth_grid: tuple[int, int] | None = None
                ) -> tuple[Tensor, Tensor | None]:
        """Turn tokens (B, N, C) into features.

        Args:
            z: (B, N, C).
            grid: (h, w).
            depth_tokens: (B, N', C'), or None if no sample has depth.
            has_depth: (B,), above 0 where the depth tokens are to be used;
                None: all.
            depth_grid: grid of the depth tokens where it is not ``grid``.

        Returns:
            Features (B, F), and (B, G) of depth alone (None without depth).
        """
        flat = self._flatten(self.reduce(self.norm(z)), grid)
        if self.depth_channels is None:
            return self.mix(flat), None
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
        depth_tokens = depth_tokens.masked_fill(closed[..., None], 0.)
        flat_depth = self._flatten(self.depth_reduce(depth_tokens),
                                   depth_grid)
        flat_depth = flat_depth.masked_fill(closed, 0.)
        return self.mix(torch.cat([flat, flat_depth], 1)), flat_depth

    def _flatten(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        """(B, N, c) -> (B, c g g)."""
        if tokens.shape[1] != grid[0] * grid[1]:
            raise ValueError(f'{tokens.shape[1]} tokens do not fill a grid '
                             f'{tuple(grid)}')
        maps = tokens.transpose(1, 2).unflatten(2, tuple(grid))
        return F.adaptive_avg_pool2d(maps, self.grid_size).flatten(1)
