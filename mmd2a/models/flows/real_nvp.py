"""RealNVP: a normalising flow of affine couplings in two or three dims."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmd2a.registry import MODELS

# Which dims a layer keeps (1) and which it moves (0); layers alternate.
_MASKS = {2: ((0, 1), (1, 0)), 3: ((0, 0, 1), (1, 1, 0))}


@MODELS.register_module()
class RealNVP(nn.Module):
    r"""Density of a small vector as a warped base distribution.

    A layer with mask :math:`m` keeps the masked dims and moves the others,

    .. math:: x = m \odot z + (1 - m) \odot
              \bigl(z \odot e^{s(m \odot z)} + t(m \odot z)\bigr)

    so its inverse and Jacobian are closed forms, and

    .. math:: \log p(x) = \log p_{base}(f^{-1}(x))
              + \log \lvert \det \partial f^{-1} / \partial x \rvert .

    The nets s and t are D-64-64-D with LeakyReLU, s ends in Tanh, as in RLE.
    Their last layers start small, so the flow starts near the identity.
    Weights have the names of ``mmpose.models.utils.realnvp.RealNVP``, whose
    state dict loads here (``dims=2``).

    D: dims.

    Args:
        dims: D, 2 or 3.
        num_layers: number of couplings.
        hidden: width of the nets s and t.
        base: 'gaussian' (published) or 'laplace', both with unit scale. The
            tails of the flow are those of its base: Laplace keeps the pull of
            an outlier bounded, as an L1 loss does.

    Dinh et al., Density estimation using Real NVP, arXiv:1605.08803.

    Example:
        >>> flow = RealNVP(dims=3)
        >>> flow.log_prob(torch.zeros(4, 5, 3)).shape
        torch.Size([4, 5])
        >>> flow.sample((7,)).shape
        torch.Size([7, 3])
    """

    mask: Tensor
    base_points: Tensor
    base_weights: Tensor

    def __init__(
        self,
        dims: int = 3,
        num_layers: int = 6,
        hidden: int = 64,
        base: str = 'gaussian',
    ) -> None:
        super().__init__()
        if dims not in _MASKS:
            raise ValueError(f'RealNVP has dims 2 or 3, got {dims}')
        if base not in ('gaussian', 'laplace'):
            raise ValueError(
                f"RealNVP has base 'gaussian' or 'laplace', got {base!r}"
            )
        self.dims, self.base = dims, base
        masks = [_MASKS[dims][i % 2] for i in range(num_layers)]
        self.register_buffer('mask', torch.tensor(masks, dtype=torch.float32))
        points, weights = _quadrature(dims, base)
        self.register_buffer('base_points', points, persistent=False)
        self.register_buffer('base_weights', weights, persistent=False)
        self.s = nn.ModuleList(
            nn.Sequential(*_mlp(dims, hidden), nn.Tanh()) for _ in masks
        )
        self.t = nn.ModuleList(
            nn.Sequential(*_mlp(dims, hidden)) for _ in masks
        )
        self.register_load_state_dict_pre_hook(_drop_published_prior)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Warp base points (..., D) to data.

        Returns:
            Points (..., D) and the log of abs(det dx/dz) (...).
        """
        log_det = z.new_zeros(z.shape[:-1])
        for i in range(len(self.mask)):
            keep, s, t = self._coupling(i, z)
            z = torch.where(keep, z, z * s.exp() + t)
            log_det = log_det + s.sum(-1)
        return z, log_det

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Warp data points (..., D) back to the base.

        Returns:
            Points (..., D) and the log of abs(det dz/dx) (...).
        """
        log_det = x.new_zeros(x.shape[:-1])
        for i in reversed(range(len(self.mask))):
            keep, s, t = self._coupling(i, x)
            x = torch.where(keep, x, (x - t) * (-s).exp())
            log_det = log_det - s.sum(-1)
        return x, log_det

    def log_prob(self, x: Tensor) -> Tensor:
        """Log density of points (..., D) -> (...)."""
        z, log_det = self.inverse(x)
        if self.base == 'gaussian':
            log_base = -0.5 * (z * z + math.log(2 * math.pi))
        else:
            log_base = -z.abs() - math.log(2)
        return log_base.sum(-1) + log_det

    def sample(
        self,
        shape: Sequence[int] = (),
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draw points (..., D), as many as a shape says."""
        z = self.mask.new_empty(*shape, self.dims)
        if self.base == 'gaussian':
            z = z.normal_(generator=generator)
        else:
            sign = torch.empty_like(z).bernoulli_(generator=generator)
            z = (2 * sign - 1) * z.exponential_(generator=generator)
        return self.forward(z)[0]

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean (D,) and standard deviation (D,) of the density.

        By quadrature over fixed points, so it is deterministic and
        differentiable, and costs about as much as 2048 points of `log_prob`.
        The points are those of a base 1.8 times as wide, each weighed by the
        ratio of the densities: the tails, rare in the base itself, decide the
        variance.

        Both are right to 2 % of the standard deviation, tested on flows far
        from the identity and on one that has learned Cauchy noise; for most
        flows the error is a few parts in a thousand.
        """
        x = self.forward(self.base_points)[0]
        mean = self.base_weights @ x
        return mean, (self.base_weights @ (x - mean).square()).sqrt()

    def _coupling(self, i: int, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mask (D,), scale and shift (..., D) of layer i; zero if kept."""
        mask = self.mask[i].to(x.dtype)
        # Flat rows: one matrix product for all points, however they are laid.
        kept = (x * mask).reshape(-1, self.dims)
        scale = self.s[i](kept) * (1 - mask)
        shift = self.t[i](kept) * (1 - mask)
        return mask.bool(), scale.reshape(x.shape), shift.reshape(x.shape)


def _mlp(dims: int, hidden: int) -> list[nn.Module]:
    """D-hidden-hidden-D, the last layer near zero."""
    last = nn.Linear(hidden, dims)
    nn.init.xavier_uniform_(last.weight, gain=0.01)
    nn.init.zeros_(last.bias)
    return [
        nn.Linear(dims, hidden),
        nn.LeakyReLU(),
        nn.Linear(hidden, hidden),
        nn.LeakyReLU(),
        last,
    ]


def _quadrature(
    dims: int, base: str, num_points: int = 2048, spread: float = 1.8
) -> tuple[Tensor, Tensor]:
    """Points (n, D) and weights (n,) with the base's mean and scale.

    Importance sampling: a low-discrepancy set of a base ``spread`` times as
    wide, weighed by the ratio of the densities, and its mirror image.
    """
    engine = torch.quasirandom.SobolEngine(dims, scramble=True, seed=0)
    u = engine.draw(num_points // 2, dtype=torch.float64)
    if base == 'gaussian':
        z, std = spread * torch.special.ndtri(u), 1.0
        log_ratio = 0.5 * (spread**-2 - 1) * z.square().sum(-1)
    else:
        z = -spread * (u - 0.5).sign() * torch.log1p(-2 * (u - 0.5).abs())
        std = 2**0.5
        log_ratio = (spread**-1 - 1) * z.abs().sum(-1)
    weight = log_ratio.softmax(0)
    z = z * std / (weight @ z.square()).sqrt()
    points, weights = torch.cat([z, -z]), torch.cat([weight, weight]) / 2
    return points.float(), weights.float()


def _drop_published_prior(
    module: nn.Module, state_dict: dict, prefix: str, *args
) -> None:
    """Accept mmpose's state dict, which stores its N(0, I) as two tensors."""
    for name in ('loc', 'cov'):
        state_dict.pop(prefix + name, None)
