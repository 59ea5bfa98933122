"""Multi-head attention, fused or written out."""

import torch.nn.functional as F
from torch import Tensor, nn

from mmd2a.registry import MODELS


@MODELS.register_module()
class MultiHeadAttention(nn.Module):
    r"""Attend from queries to keys and values of the same or another stream.

    .. math:: \operatorname{Attn}(x, y) = W_o\, [\,\operatorname{softmax}(
              q_h k_h^\top / \sqrt{C/H})\, v_h\,]_{h=1}^H

    with :math:`q = W_q x` and :math:`[k; v] = W_{kv}\, y`.

    B: batch, N: queries, M: keys, C: token width, H: heads.

    Args:
        embed_dims: token width C, a multiple of ``num_heads``.
        num_heads: H.
        dropout: of the attention weights and of the output.
        fused: use PyTorch's ``scaled_dot_product_attention``; otherwise the
            formula written out, for export and as a reference.

    Vaswani et al., NeurIPS 2017.

    Example:
        >>> import torch
        >>> attend = MultiHeadAttention(embed_dims=8, num_heads=2)
        >>> x, y = torch.zeros(2, 5, 8), torch.zeros(2, 7, 8)
        >>> attend(x).shape, attend(x, y).shape
        (torch.Size([2, 5, 8]), torch.Size([2, 5, 8]))
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int = 8,
        dropout: float = 0.0,
        fused: bool = True,
    ) -> None:
        super().__init__()
        if embed_dims % num_heads:
            raise ValueError(
                f'embed_dims ({embed_dims}) must be a multiple of num_heads '
                f'({num_heads}).'
            )
        self.num_heads = num_heads
        self.dropout = dropout
        self.fused = fused
        self.scale = (embed_dims // num_heads) ** -0.5
        self.q = nn.Linear(embed_dims, embed_dims)
        self.kv = nn.Linear(embed_dims, 2 * embed_dims)
        self.proj = nn.Linear(embed_dims, embed_dims)
        self.proj_drop = nn.Dropout(dropout)

    def forward(self, query: Tensor, source: Tensor | None = None) -> Tensor:
        """Attend from (B, N, C) to (B, M, C), by default to itself."""
        source = query if source is None else source
        heads = (self.num_heads, -1)
        q = self.q(query).unflatten(-1, heads).transpose(1, 2)
        k, v = (
            x.unflatten(-1, heads).transpose(1, 2)
            for x in self.kv(source).chunk(2, dim=-1)
        )
        dropout = self.dropout if self.training else 0.0
        if self.fused:
            x = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout)
        else:
            weights = ((q * self.scale) @ k.transpose(-2, -1)).softmax(dim=-1)
            x = F.dropout(weights, dropout) @ v
        return self.proj_drop(self.proj(x.transpose(1, 2).flatten(2)))

    def extra_repr(self) -> str:
        return f'num_heads={self.num_heads}, fused={self.fused}'
