"""Learnable plus sinusoidal positions on a 2-D grid of tokens."""

import logging

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from torch import Tensor, nn

from mmd2a.registry import MODELS

MODES = ('hybrid', 'sinusoidal', 'learnable', 'none')


def sincos_table(
    grid: tuple[int, int],
    channels: int,
    reference: tuple[int, int] | None = None,
    like: Tensor | None = None,
) -> Tensor:
    r"""Evaluate the 2-D sin-cos table at the token centres of a grid.

    .. math:: [\sin x\omega, \cos x\omega, \sin y\omega, \cos y\omega],
              \qquad \omega_i = 10000^{-4i/C}, \; i = 0 \dots C/4 - 1

    Args:
        grid: (h, w) of the tokens.
        channels: C, a multiple of 4.
        reference: grid whose cells are the unit of x and y, so that the same
            place of the image has the same code at any size; ``grid`` itself
            by default.
        like: tensor that gives dtype and device.

    Returns:
        (1, h w, C), tokens in row order.

    Example:
        >>> sincos_table((7, 7), channels=8).shape
        torch.Size([1, 49, 8])
    """
    if channels % 4:
        raise ValueError(
            f'A 2-D sin-cos table needs a multiple of 4 channels, got '
            f'{channels}.'
        )
    dtype = torch.get_default_dtype() if like is None else like.dtype
    device = None if like is None else like.device
    y, x = (
        (torch.arange(n, dtype=dtype, device=device) + 0.5) * (ref / n) - 0.5
        for n, ref in zip(grid, reference or grid)
    )
    exponent = torch.arange(channels // 4, dtype=dtype, device=device)
    omega = 10000.0 ** (-4.0 * exponent / channels)
    y, x = (p[:, None] * omega for p in (y, x))
    h, w = grid
    x = torch.cat([x.sin(), x.cos()], dim=-1).expand(h, -1, -1)
    y = torch.cat([y.sin(), y.cos()], dim=-1)[:, None].expand(-1, w, -1)
    return torch.cat([x, y], dim=-1).flatten(0, 1)[None]


@MODELS.register_module()
class HybridPositionalEncoding(nn.Module):
    r"""Encode positions as a fixed sin-cos table plus a learnable one.

    .. math:: PE = \mathrm{sincos2d} + L, \qquad L \sim N(0, 0.02^2)

    On a grid other than ``grid_size`` the same image area is assumed: the
    sin-cos table is evaluated at the new token centres and L is resampled
    (bicubic, antialiased) at the same places. That is for testing at another
    size; training at one is warned of.

    C: token width, (h, w): token grid, N = h w: tokens in row order.

    Args:
        embed_dims: token width C; a multiple of 4 where sin-cos is used.
        grid_size: (h, w) at training, the size of the learnable table.
        mode: ``'hybrid'``, or only the ``'sinusoidal'`` part, only the
            ``'learnable'`` part, or ``'none'`` (zeros).

    D2A-HMR: learnable plus sinusoidal is stated; their sum, the 2-D table
    and the 0.02 are our choice.

    Example:
        >>> encode = HybridPositionalEncoding(embed_dims=8, grid_size=(7, 7))
        >>> encode((7, 7)).shape, encode((12, 9)).shape
        (torch.Size([1, 49, 8]), torch.Size([1, 108, 8]))
    """

    fixed: Tensor

    def __init__(
        self, embed_dims: int, grid_size: tuple[int, int], mode: str = 'hybrid'
    ) -> None:
        super().__init__()
        if mode not in MODES:
            raise ValueError(f'mode must be one of {MODES}, got {mode!r}.')
        self.embed_dims = embed_dims
        self.grid_size = (int(grid_size[0]), int(grid_size[1]))
        self.mode = mode
        self._warned = False
        num_tokens = self.grid_size[0] * self.grid_size[1]
        # Derived, hence absent from checkpoints.
        fixed = (
            sincos_table(self.grid_size, embed_dims)
            if mode in ('hybrid', 'sinusoidal')
            else torch.zeros(1, num_tokens, embed_dims)
        )
        self.register_buffer('fixed', fixed, persistent=False)
        self.learnable: nn.Parameter | None = None
        if mode in ('hybrid', 'learnable'):
            self.learnable = nn.Parameter(
                torch.empty(1, num_tokens, embed_dims)
            )
            nn.init.trunc_normal_(self.learnable, std=0.02)

    def _resample_learnable(
        self, table: Tensor, grid: tuple[int, int]
    ) -> Tensor:
        table = table.transpose(1, 2).unflatten(2, self.grid_size)
        table = F.interpolate(
            table,
            size=grid,
            mode='bicubic',
            align_corners=False,
            antialias=True,
        )
        return table.flatten(2).transpose(1, 2)

    def forward(self, grid: tuple[int, int]) -> Tensor:
        """Return the encoding (1, N, C) of the grid (h, w)."""
        grid = (int(grid[0]), int(grid[1]))
        same = grid == self.grid_size
        if self.training and not same:
            self._warn_of_grid(grid)
        if same:
            table = self.fixed
        elif self.mode in ('hybrid', 'sinusoidal'):
            table = sincos_table(
                grid, self.embed_dims, self.grid_size, like=self.fixed
            )
        else:
            table = self.fixed.new_zeros(1, grid[0] * grid[1], self.embed_dims)
        if self.learnable is None:
            return table
        if same:
            return table + self.learnable
        return table + self._resample_learnable(self.learnable, grid)

    def _warn_of_grid(self, grid: tuple[int, int]) -> None:
        """Say once that tables of another size are being trained."""
        if self._warned or self.mode == 'none':
            return
        self._warned = True
        print_log(
            f'tokens lie on a grid of {grid} but the positional encoding has '
            f'grid_size={self.grid_size} and is interpolated in every step; '
            f'set encoder.grid_size={grid}',
            logger='current',
            level=logging.WARNING,
        )

    def extra_repr(self) -> str:
        return (
            f'{self.embed_dims}, grid_size={self.grid_size}, '
            f'mode={self.mode!r}'
        )
