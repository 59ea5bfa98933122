"""Ways to mix the three streams of an encoder block, by name."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmd2a.models.encoders.gated_fusion import LearnableGatedFusion

__all__ = ['FUSIONS', 'StreamConcat', 'StreamSum', 'build_fusion']

FUSIONS = ('gate', 'add', 'concat', 'cross_attention')


def build_fusion(name: str, channels: int) -> nn.Module:
    r"""Build what mixes image, cross-attended and depth tokens.

    .. math::
        \text{gate:}\quad & z_f = \sum_k g_k \odot z_k \\
        \text{add:}\quad & z_f = z'_{img} + z_c + z'_{depth} \\
        \text{concat:}\quad & z_f = W\,[z'_{img}; z_c; z'_{depth}] + b \\
        \text{cross\_attention:}\quad & z_f = z'_{img} + z_c

    The gate is what D2A-HMR draws; the others are what it is compared with.

    Args:
        name: one of :data:`FUSIONS`.
        channels: token width C.

    Returns:
        A module that takes the three streams (B, N, C) in a sequence, in the
        order image, cross-attended, depth, and gives one (B, N, C).

    Raises:
        ValueError: another name.

    Example:
        >>> fuse = build_fusion('add', channels=8)
        >>> fuse([torch.ones(2, 49, 8)] * 3).unique()
        tensor([3.])
    """
    if name == 'gate':
        return LearnableGatedFusion(channels, num_streams=3)
    if name == 'concat':
        return StreamConcat(channels, num_streams=3)
    if name == 'add':
        return StreamSum(num_streams=3)
    if name == 'cross_attention':
        return StreamSum(num_streams=2)
    raise ValueError(f'fusion must be one of {FUSIONS}, got {name!r}.')


class StreamSum(nn.Module):
    """Add the first streams, and leave the others out.

    Args:
        num_streams: how many count.

    Example:
        >>> StreamSum(2)([torch.ones(1), torch.ones(1), torch.ones(1)])
        tensor([2.])
    """

    def __init__(self, num_streams: int) -> None:
        super().__init__()
        self.num_streams = num_streams

    def forward(self, streams: Sequence[Tensor]) -> Tensor:
        """Add tensors (B, N, C)."""
        total, *others = streams[: self.num_streams]
        for stream in others:
            total = total + stream
        return total

    def extra_repr(self) -> str:
        return f'num_streams={self.num_streams}'


class StreamConcat(nn.Module):
    r"""Project the concatenated streams to the width of one.

    .. math:: z = W\,[z_1; \dots; z_K] + b

    Starts as the mix that :class:`LearnableGatedFusion` starts as, which is
    our choice: what they learn differs then, not where they begin.

    Args:
        channels: token width C.
        num_streams: K.
        first_share: share of stream 1 at the start; the others have equal
            parts of the rest.

    Example:
        >>> fuse = StreamConcat(channels=8)
        >>> fuse([torch.ones(2, 49, 8)] * 3).shape
        torch.Size([2, 49, 8])
    """

    def __init__(
        self, channels: int, num_streams: int = 3, first_share: float = 0.9
    ) -> None:
        super().__init__()
        self.num_streams = num_streams
        self.first_share = first_share
        self.proj = nn.Linear(num_streams * channels, channels)
        self.init_weights()

    def init_weights(self) -> None:
        """Start as (nearly) stream 1, also after a parent's ``init_cfg``."""
        others = self.num_streams - 1
        rest = (1 - self.first_share) / others
        shares = [self.first_share, *[rest] * others]
        with torch.no_grad():
            for share, block in zip(
                shares, self.proj.weight.chunk(self.num_streams, 1)
            ):
                block.copy_(share * torch.eye(len(block)))
            self.proj.bias.zero_()

    def forward(self, streams: Sequence[Tensor]) -> Tensor:
        """Mix K tensors (B, N, C) into one (B, N, C)."""
        return self.proj(torch.cat(list(streams), dim=-1))

    def extra_repr(self) -> str:
        return f'first_share={self.first_share}'
