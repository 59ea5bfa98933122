"""Tokens that know where they lie and whose they are."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ['TokenMap', 'missing_as_nobodys']


class TokenMap(NamedTuple):
    """Tokens of a batch, the grid they lie on, and who of the batch has them.

    B: batch, (h, w): grid, N = h w: tokens in row order, C: token width.

    A tuple, so that exporters and compilers see through it.

    Attributes:
        tokens: (B, N, C).
        grid: (h, w).
        has: (B,), above 0 (or True) for samples whose tokens count; those of
            the others may hold anything. None: all count.

    Example:
        >>> tokens = TokenMap(torch.zeros(2, 12, 8), (3, 4))
        >>> tokens.as_map().shape
        torch.Size([2, 8, 3, 4])
        >>> tokens.resampled((6, 8)).tokens.shape
        torch.Size([2, 48, 8])
    """

    tokens: Tensor
    grid: tuple[int, int]
    has: Tensor | None = None

    @classmethod
    def from_map(cls, maps: Tensor, has: Tensor | None = None) -> 'TokenMap':
        """Read a feature map (B, C, h, w) as tokens."""
        # Numbers also while TorchScript traces, which makes tensors of sizes.
        grid = (int(maps.shape[-2]), int(maps.shape[-1]))
        return cls(maps.flatten(2).transpose(1, 2), grid, has)

    def as_map(self) -> Tensor:
        """Lay the tokens out as a feature map (B, C, h, w)."""
        return self.tokens.transpose(1, 2).unflatten(2, tuple(self.grid))

    def resampled(self, grid: tuple[int, int]) -> 'TokenMap':
        """Interpolate to another grid (h, w), bilinearly."""
        if tuple(self.grid) == tuple(grid):
            return self
        return self.from_map(
            F.interpolate(
                self.as_map(),
                size=tuple(grid),
                mode='bilinear',
                align_corners=False,
            ),
            self.has,
        )

    def checked(self, name: str = 'tokens') -> 'TokenMap':
        """Return itself if its parts fit each other.

        Args:
            name: what an error calls the tokens.

        Raises:
            TypeError: it is no TokenMap.
            ValueError: tokens that do not fill the grid, or a ``has`` that is
                not one number per sample.
        """
        # For callers that pass on a tensor: the type is part of the check.
        if not isinstance(self, TokenMap):
            raise TypeError(
                f'{name} must be a TokenMap, got {type(self).__name__}; write '
                'TokenMap(tokens, grid), or TokenMap(tokens, grid, has) where '
                'some of the batch have none'
            )
        h, w = self.grid
        if self.tokens.ndim != 3 or self.tokens.shape[1] != h * w:
            raise ValueError(
                f'{name} {tuple(self.tokens.shape)} must be (B, N, C) with N '
                f'= {h * w} for a grid of {h} x {w}.'
            )
        if self.has is not None and (
            self.has.ndim != 1 or self.has.shape[0] != self.tokens.shape[0]
        ):
            raise ValueError(
                f'has of {name} must have shape ({self.tokens.shape[0]},), '
                f'got {tuple(self.has.shape)}.'
            )
        return self


def missing_as_nobodys(
    given: TokenMap | None, beside: TokenMap, channels: int
) -> TokenMap | None:
    """Prepare a stream that not everybody has for the part that reads it.

    The one place that decides what missing tokens are: zeros, before any
    operation (0 * NaN is NaN, in gradients too), which ``has`` keeps out.

    Args:
        given: tokens of that stream; None: nobody has them.
        beside: tokens of the stream that everybody has.
        channels: token width C of the stream.

    Returns:
        The tokens with zeros where a sample has none and ``has`` as bool (B,)
        or None. If nobody has any: zeros of nobody on the grid of ``beside``,
        so that the parameters behind them stay in the graph and get zero
        gradients, as DDP needs; or None where no gradients are taken.

    Example:
        >>> image = TokenMap(torch.zeros(2, 4, 8), (2, 2))
        >>> depth = missing_as_nobodys(None, image, channels=3)
        >>> depth.tokens.shape, depth.has
        (torch.Size([2, 4, 3]), tensor([False, False]))
    """
    if given is None:
        if not torch.is_grad_enabled():
            return None
        tokens = beside.tokens
        return TokenMap(
            tokens.new_zeros(*tokens.shape[:2], channels),
            beside.grid,
            tokens.new_zeros(tokens.shape[0], dtype=torch.bool),
        )
    if given.has is None:
        return given
    has = given.has > 0
    tokens = torch.where(has[:, None, None], given.tokens, 0.0)
    return given._replace(tokens=tokens, has=has)
