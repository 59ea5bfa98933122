"""Learnable gated fusion of token streams."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmd2a.registry import MODELS


@MODELS.register_module()
class LearnableGatedFusion(nn.Module):
    r"""Mix token streams with a gate learned per token and channel.

    .. math:: z = \sum_k g_k \odot z_k, \qquad
              g = \operatorname{softmax}_k\,(W [z_1; \dots; z_K] + b)

    Starts close to its first stream alone (:math:`W = 0`, b gives stream 1
    ``first_share`` of the mix and the others equal parts of the rest), so a
    model with depth begins training as the RGB model it extends, while no
    stream is ever cut off from gradients.

    B: batch, N: tokens, C: channels, K: streams.

    Args:
        channels: token width C.
        num_streams: K. D2A-HMR draws three: image, cross-attended, depth.
        first_share: share of stream 1 in the mix at the start, in (1/K, 1).

    D2A-HMR, panel (b): the gate and its inputs are drawn, its equation is not
    published; softmax over streams is our choice.

    Example:
        >>> fuse = LearnableGatedFusion(channels=8)
        >>> fuse([torch.zeros(2, 49, 8)] * 3).shape
        torch.Size([2, 49, 8])
    """

    def __init__(
        self, channels: int, num_streams: int = 3, first_share: float = 0.9
    ) -> None:
        super().__init__()
        if not 1 / num_streams < first_share < 1:
            raise ValueError(
                f'first_share must lie in (1/{num_streams}, 1), got '
                f'{first_share}.'
            )
        self.channels = channels
        self.num_streams = num_streams
        self.first_share = first_share
        self.proj = nn.Linear(num_streams * channels, num_streams * channels)
        self.init_weights()

    def init_weights(self) -> None:
        """Start as (nearly) stream 1, also after a parent's ``init_cfg``."""
        rest = (1 - self.first_share) / (self.num_streams - 1)
        nn.init.zeros_(self.proj.weight)
        nn.init.zeros_(self.proj.bias)
        with torch.no_grad():
            self.proj.bias[: self.channels] = math.log(self.first_share / rest)

    def shares(self, streams: Sequence[Tensor]) -> Tensor:
        """Return each stream's share g (B, N, K, C); sums to 1 over K."""
        logits = self.proj(torch.cat(list(streams), dim=-1))
        return logits.unflatten(-1, (self.num_streams, -1)).softmax(dim=-2)

    def forward(self, streams: Sequence[Tensor]) -> Tensor:
        """Mix K tensors (B, N, C) into one (B, N, C)."""
        first, *others = streams
        gates = self.shares(streams).unbind(dim=-2)
        mixed = gates[0] * first
        for gate, stream in zip(gates[1:], others):
            mixed = mixed + gate * stream
        return mixed

    def extra_repr(self) -> str:
        return f'first_share={self.first_share}'
