"""Masked modelling: random tokens are hidden behind a learned one."""

import torch
from torch import Tensor, nn

from mmd2a.registry import MODELS

TARGETS = ('output', 'input')


@MODELS.register_module()
class TokenMasking(nn.Module):
    r"""Replace random tokens by a learned mask token, in training only.

    Per sample, :math:`u \sim U(0, 1)` and
    :math:`\lfloor r_{max}\, u\, N \rfloor` tokens, drawn without
    replacement, are replaced. Without a loss of its own: what follows has to
    read a person from part of the tokens.

    B: batch, N: tokens, C: token width.

    Args:
        embed_dims: token width C.
        max_ratio: largest share of masked tokens r_max, in [0, 1]; the mean
            share is about half of it.
        target: what the encoder masks: its ``'output'``, as D2A-HMR draws
            it, or the image tokens at its ``'input'``.

    METRO's masking rule (Lin et al., CVPR 2021); D2A-HMR states none, so the
    rule is our choice.

    Example:
        >>> mask = TokenMasking(embed_dims=8, max_ratio=0.5)
        >>> mask(torch.zeros(2, 49, 8)).shape
        torch.Size([2, 49, 8])
    """

    def __init__(
        self, embed_dims: int, max_ratio: float = 0.3, target: str = 'output'
    ) -> None:
        super().__init__()
        if not 0 <= max_ratio <= 1:
            raise ValueError(f'max_ratio must lie in [0, 1], got {max_ratio}.')
        if target not in TARGETS:
            raise ValueError(
                f'target must be one of {TARGETS}, got {target!r}.'
            )
        self.max_ratio = max_ratio
        self.target = target
        self.mask_token = nn.Parameter(torch.empty(1, 1, embed_dims))
        nn.init.trunc_normal_(self.mask_token, std=0.02)

    def draw_mask(self, tokens: Tensor) -> Tensor:
        """Draw which of the tokens (B, N, C) to hide: bool (B, N)."""
        batch, num_tokens, _ = tokens.shape
        device = tokens.device
        ratio = self.max_ratio * torch.rand(batch, 1, device=device)
        # argsort of noise is a uniform permutation of 0..N-1, so exactly
        # `count` of its entries lie below `count`: no loop, no host sync.
        order = torch.rand(batch, num_tokens, device=device).argsort(dim=1)
        return order < (ratio * num_tokens).floor()

    def forward(self, tokens: Tensor) -> Tensor:
        """Mask tokens (B, N, C) in training; return them as is otherwise."""
        if not self.training:
            return tokens
        # `where` keeps the mask token in the graph even if nothing is
        # masked, so it gets a gradient in every step.
        return torch.where(
            self.draw_mask(tokens)[..., None],
            self.mask_token.to(tokens.dtype),
            tokens,
        )

    def extra_repr(self) -> str:
        return f'max_ratio={self.max_ratio}, target={self.target!r}'
