"""Tokens of a person as they would be, seen from elsewhere."""

import torch
from torch import Tensor, nn

from mmd2a.models.encoders.attention import MultiHeadAttention
from mmd2a.registry import MODELS
from mmd2a.structures import TokenMap


@MODELS.register_module()
class ViewDecoder(nn.Module):
    r"""Turn the tokens of an image into those of an imagined view.

    One transformer block whose layers are told the angle φ,

    .. math::
        z' &= z + g_1 \odot \operatorname{SelfAttn}(
              (1 + s_1) \odot \operatorname{Norm}(z) + b_1) \\
        z_\varphi &= z' + g_2 \odot \operatorname{MLP}(
              (1 + s_2) \odot \operatorname{Norm}(z') + b_2) \\
        (g, s, b) &= W_2 \operatorname{GELU}\bigl(W_1
              (\sin k\varphi,\ 1 - \cos k\varphi)_{k \le L}\bigr)

    Without biases (g, s, b) are 0 at φ = 0: that view is the image's own, z,
    whatever was learned. Attention lets what is known of one place be told
    elsewhere, as a turned arm is.

    B: batch, N: tokens, C: token width.

    Args:
        in_channels: C, a multiple of ``num_heads``.
        num_heads: heads of the attention.
        mlp_ratio: hidden width of the MLP over C.
        frequencies: L.
        hidden: width of what knows the angle.

    Our part. Layers that are scaled, shifted and gated by a condition:
    Peebles and Xie, "Scalable Diffusion Models with Transformers", ICCV 2023.

    Example:
        >>> decoder = ViewDecoder(in_channels=8)
        >>> z = TokenMap(torch.randn(2, 9, 8), (3, 3))
        >>> seen = decoder(z, torch.tensor([0.0, 1.5]))
        >>> [torch.equal(a, b) for a, b in zip(seen.tokens, z.tokens)]
        [True, False]
    """

    def __init__(
        self,
        in_channels: int,
        num_heads: int = 4,
        mlp_ratio: float = 2.0,
        frequencies: int = 4,
        hidden: int = 128,
    ) -> None:
        super().__init__()
        self.frequencies = frequencies
        width = int(in_channels * mlp_ratio)
        self.norm_attention = nn.LayerNorm(in_channels)
        self.attention = MultiHeadAttention(in_channels, num_heads)
        self.norm_mlp = nn.LayerNorm(in_channels)
        self.mlp = nn.Sequential(
            nn.Linear(in_channels, width),
            nn.GELU(),
            nn.Linear(width, in_channels),
        )
        self.code = nn.Sequential(
            nn.Linear(2 * frequencies, hidden, bias=False),
            nn.GELU(),
            nn.Linear(hidden, 6 * in_channels, bias=False),
        )

    def forward(self, z: TokenMap, yaw: Tensor) -> TokenMap:
        """Imagine the tokens of a view.

        Args:
            z: tokens (B, N, C) of the image.
            yaw: angle φ (B,), radians.

        Returns:
            Tokens (B, N, C) on the same grid.
        """
        tokens, grid, has = TokenMap.checked(z)
        octaves = torch.arange(1, self.frequencies + 1).to(yaw)
        angles = yaw[:, None] * octaves
        told = torch.cat([angles.sin(), 1 - angles.cos()], 1)
        code = self.code(told.to(tokens.dtype))[:, None]
        gates, scales, shifts = (
            part.chunk(2, -1) for part in code.chunk(3, -1)
        )
        layers = (
            (self.norm_attention, self.attention),
            (self.norm_mlp, self.mlp),
        )
        for (norm, layer), gate, scale, shift in zip(
            layers, gates, scales, shifts
        ):
            tokens = tokens + gate * layer((1 + scale) * norm(tokens) + shift)
        return TokenMap(tokens, grid, has)

    def extra_repr(self) -> str:
        """Say how finely angles are told apart."""
        return f'frequencies={self.frequencies}'
