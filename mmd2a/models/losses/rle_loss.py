"""Residual log-likelihood loss: a regression judged by a learned density."""

import math

import torch
from torch import Tensor, nn

from mmd2a.models.flows.real_nvp import RealNVP
from mmd2a.models.losses.reduction import (
    LARGEST_ERROR,
    clamp_value,
    full_precision,
    keep_valid,
    weighted_mean,
)
from mmd2a.registry import MODELS

# Residuals count up to this many sigmas in the gradient.
_REACH = 1e6


@MODELS.register_module()
class RLELoss(nn.Module):
    r"""Negative log-likelihood of points under a flow around a regression.

    B: batch, P: points, D: 2 or 3. μ: mean, σ: sigma, x: label.

    RLE writes the density of :math:`\bar x = (x - \mu) / \sigma` as a simple
    density Q times a flow G, :math:`p \propto Q\,G / \prod_d \sigma_d`. The
    product needs a constant c to integrate to one.

    **'exact'** is a true density. Instead of multiplying by Q and estimating
    c, Q is the base that the flow warps (``RealNVP(base='laplace')``), which
    is normalised by construction and still equals Q when the flow is the
    identity. A flow could shift while μ shifts back, or stretch while σ
    shrinks, without changing p; so it is taken relative to its own mean m and
    standard deviation r:

    .. math:: -\log p(x) = -\log G_\phi\Bigl(m + r \odot
              \frac{x - \mu}{\sigma}\Bigr)
              - \sum_d \log r_d + \sum_d \log \sigma_d .

    Hence μ is the mean and σ the standard deviation of the density, in each
    dim and in the unit of the points, whatever the flow has learned: to 2 %
    of σ, as closely as `RealNVP.moments` finds m and r. The density itself is
    normalised exactly.

    **'parity'** is the arithmetic of the published code and of mmpose, with
    :math:`e = (\mu - x) / \sigma`,

    .. math:: \sum_d \bigl(\log \sigma_d - \log G_\phi(e)
              - \log Q(e_d) + \log \sigma_d \bigr) ,

    for reproducing published weights. It is no density: log G counts D times,
    log σ twice, and log c is missing. The flow can absorb the scale, so σ is
    no uncertainty.

    **'paper'** is equation (1) of D2A-HMR to the letter, each term once, with
    :math:`\bar x = (x - \mu) / \sigma`,

    .. math:: -\log Q(\bar x) - \log G_\phi(\bar x) - \log c
              + \sum_d \log \sigma_d, \qquad
              c = 1 \Big/ \int Q\, G_\phi \approx
              \Bigl(\tfrac{1}{S} \sum_s G_\phi(q_s)\Bigr)^{-1}

    over S samples :math:`q_s` of Q: anew in each step of a training, the same
    ones in every evaluation. It is a density, up to the error of c; σ is its
    scale, as Q and G have it, and no standard deviation.

    All become negative when σ is small, as a density above one has a
    positive logarithm: a value below zero means a good fit, not an error. Its
    size grows with the log of precision only; still, start it with a small
    ``loss_weight``.

    The average is over points of weight above 0, in nats per point.

    Args:
        mode: 'exact', 'parity' or 'paper'.
        q_distribution: Q of 'parity' and 'paper', 'laplace' or 'gaussian', of
            scale 1. In 'exact' the flow's base plays its part.
        clamp: bound of :math:`|\bar x|`. Beyond it the value stays and the
            gradient keeps its direction, so that a too small σ still grows;
            an infinite label has the gradient of one a million σ away.
        min_sigma: floor of σ, handled alike.
        loss_weight: factor of the loss.
        num_samples: S of 'paper'.

    Li et al., Human pose regression with residual log-likelihood estimation,
    ICCV 2021, arXiv:2107.11291; taking it relative to m and r is ours.

    Example:
        >>> flow, loss = RealNVP(dims=3, base='laplace'), RLELoss()
        >>> mean, target = torch.zeros(2, 5, 3), torch.ones(2, 5, 3)
        >>> loss(mean, torch.ones(2, 5, 3), target, flow).shape
        torch.Size([])
    """

    def __init__(
        self,
        mode: str = 'exact',
        q_distribution: str = 'laplace',
        clamp: float = 100.0,
        min_sigma: float = 1e-4,
        loss_weight: float = 1.0,
        num_samples: int = 1024,
    ) -> None:
        super().__init__()
        if mode not in ('exact', 'parity', 'paper'):
            raise ValueError(
                f"mode is 'exact', 'parity' or 'paper', got {mode!r}"
            )
        if q_distribution not in ('laplace', 'gaussian'):
            raise ValueError(
                "q_distribution is 'laplace' or 'gaussian', got "
                f'{q_distribution!r}'
            )
        self.mode, self.q_distribution = mode, q_distribution
        self.clamp, self.min_sigma = clamp, min_sigma
        self.loss_weight = loss_weight
        self.num_samples = num_samples

    def forward(
        self,
        pred: Tensor,
        sigma: Tensor,
        target: Tensor,
        flow: RealNVP,
        weight: Tensor | None = None,
        avg_factor: Tensor | float | None = None,
    ) -> Tensor:
        """Average the loss of points.

        Args:
            pred: μ (B, P, D).
            sigma: σ (B, P, D), above 0, unit of pred.
            target: x (B, P, D); may hold anything where the weight is 0.
            flow: density of the normalised residual, D dims.
            weight: (B, P), or (B, 1) for whole samples.
            avg_factor: divisor instead of the number of points of weight
                above 0; mmpose divides by B.
        """
        with torch.autocast(pred.device.type, enabled=False):
            pred, sigma, target = map(full_precision, (pred, sigma, target))
            if weight is not None:
                weight = weight.to(pred.dtype).expand(pred.shape[:-1])
            # Before the flow: what enters it once cannot be masked out.
            value = self.per_point(
                keep_valid(pred, weight),
                keep_valid(sigma, weight, 1.0),
                keep_valid(target, weight),
                flow,
            )
            return self.loss_weight * weighted_mean(value, weight, avg_factor)

    def per_point(
        self, pred: Tensor, sigma: Tensor, target: Tensor, flow: RealNVP
    ) -> Tensor:
        """Loss of each point, (..., P, D) -> (..., P), nats.

        In mode 'exact' this is −log p(target).
        """
        sigma = clamp_value(sigma, self.min_sigma, math.inf)
        log_sigma = sigma.log().sum(-1)
        if self.mode == 'exact':
            error = self._normalised(target - pred, sigma)
            mean, std = flow.moments()
            return (
                log_sigma - std.log().sum() - flow.log_prob(mean + error * std)
            )
        if self.mode == 'paper':
            error = self._normalised(target - pred, sigma)
            log_c = self._log_c(flow, error)
            return (
                log_sigma - self._log_q(error) - flow.log_prob(error) - log_c
            )
        error = self._normalised(pred - target, sigma + 1e-9)
        dims = error.shape[-1]
        return 2 * log_sigma - self._log_q(error) - dims * flow.log_prob(error)

    def _log_q(self, error: Tensor) -> Tensor:
        """Log density of Q at (..., D) -> (...)."""
        dims = error.shape[-1]
        if self.q_distribution == 'laplace':
            return -error.abs().sum(-1) - dims * math.log(2)
        return -0.5 * error.square().sum(-1) - 0.5 * dims * math.log(
            2 * math.pi
        )

    def _log_c(self, flow: RealNVP, like: Tensor) -> Tensor:
        """Log of 1 / ∫ Q G, by samples of Q, ()."""
        generator = None
        if not self.training:
            generator = torch.Generator(like.device).manual_seed(0)
        shape = (2, self.num_samples, like.shape[-1])
        if self.q_distribution == 'laplace':
            # Where two waits of the same rate differ by, a Laplace variable.
            waits = like.new_empty(shape).exponential_(generator=generator)
            points = waits[0] - waits[1]
        else:
            points = like.new_empty(shape[1:]).normal_(generator=generator)
        log_mean = flow.log_prob(points).logsumexp(0)
        return math.log(self.num_samples) - log_mean

    def _normalised(self, residual: Tensor, sigma: Tensor) -> Tensor:
        """Residual over sigma, within the clamp; its gradient is finite.

        The gradient with respect to σ holds residual / σ², so the residual is
        bounded before the division: an infinite one would make it infinite,
        and infinite times zero NaN. The bound is far beyond the clamp.
        """
        reach = (_REACH * sigma.detach()).clamp_max(LARGEST_ERROR)
        error = clamp_value(residual, -reach, reach) / sigma
        return clamp_value(error, -self.clamp, self.clamp)
