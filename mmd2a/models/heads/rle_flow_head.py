"""Distribution matching: how far each predicted point may be off."""

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmd2a.models.flows.flow_of_loss import DEFAULT_FLOW, flow_config
from mmd2a.models.losses import build_density_loss
from mmd2a.registry import MODELS

DEFAULT_LOSS = dict(type='mmd2a.RLELoss')


@MODELS.register_module()
class RLEFlowHead(nn.Module):
    r"""Predict a scale per point and learn the shape of the residuals.

    .. math:: a = \operatorname{softmax}_n(w^\top \hat z_n), \qquad
              \sigma = \sigma_{min} + \operatorname{softplus}\bigl(
              \operatorname{MLP}(\textstyle\sum_n a_n \hat z_n)\bigr)

    with normalised tokens :math:`\hat z`. One flow, shared by all points,
    holds the density of :math:`(x - \mu) / \sigma`. μ comes from another
    head; the flow is used in training only. With the loss in mode 'exact', σ
    is the standard deviation in each dim, and `sample` draws from the density.

    After training a single factor may be put on σ: the buffer
    ``temperature``, 1 unless it was fitted on people who were not trained on,
    applies in evaluation only and is saved with the weights. See
    :class:`~mmd2a.evaluation.CalibrationMetric`.

    B: batch, N: tokens, C: token width, P: points, D: dims. σ in the unit of
    the points: metres for D=3, crop coordinates for D=2.

    Args:
        in_channels: C.
        num_points: P; or P for each D, of which ``dims`` picks one.
        dims: D, 3 or 2.
        flow: config of the flow. By default `RealNVP`, with a Laplace base
            for mode 'exact', the published normal one for the others. None:
            that base alone.
        loss: config of the loss, by default `RLELoss` in mode 'exact'.
        hidden: width of the hidden layer.
        init_sigma: σ at the start.
        min_sigma: floor of σ.
        points_per_step: points per sample, on average, that the loss reads in
            a training step: B times as many are drawn among all points of the
            batch whose weight is above 0, anew each step. That keeps the flow
            cheap when P is in the hundreds, and the mean over draws is the
            loss of all points, whichever are labelled and whatever divides
            the sum. None: all.

    Li et al., ICCV 2021, arXiv:2107.11291 (RLE), as drawn in D2A-HMR, panel
    (c). RLE squashes σ by a sigmoid, whose ceiling of 1 means nothing in
    metres; softplus with a floor is our choice.

    Example:
        >>> head = RLEFlowHead(in_channels=64, num_points=14)
        >>> z, mean = torch.zeros(2, 36, 64), torch.zeros(2, 14, 3)
        >>> sigma = head(z)
        >>> sigma.shape, head.loss(mean, sigma, mean + 0.1).shape
        (torch.Size([2, 14, 3]), torch.Size([]))
    """

    temperature: Tensor

    def __init__(
        self,
        in_channels: int,
        num_points: int | Mapping[int, int],
        dims: int = 3,
        flow: dict | None = DEFAULT_FLOW,
        loss: dict = DEFAULT_LOSS,
        hidden: int = 256,
        init_sigma: float = 0.1,
        min_sigma: float = 1e-3,
        points_per_step: int | None = 64,
    ) -> None:
        super().__init__()
        if not isinstance(num_points, int):
            num_points = num_points[dims]
        self.num_points, self.dims = num_points, dims
        self.min_sigma = min_sigma
        self.points_per_step = points_per_step
        if loss is None:
            raise ValueError(
                'RLEFlowHead learns by its loss alone; for a model without it '
                'set flow_head=None instead of flow_head.loss=None'
            )
        loss_module = build_density_loss(loss, 'flow_head.loss')
        self.loss_module = loss_module
        self.flow = MODELS.build(flow_config(flow, loss_module.mode, dims))

        self.register_buffer('temperature', torch.ones(()))
        self.register_load_state_dict_pre_hook(_without_temperature)
        self.norm = nn.LayerNorm(in_channels)
        self.attention = nn.Linear(in_channels, 1, bias=False)
        last = nn.Linear(hidden, num_points * dims)
        nn.init.normal_(last.weight, std=0.1 * hidden**-0.5)
        nn.init.constant_(
            last.bias, math.log(math.expm1(init_sigma - min_sigma))
        )
        self.mlp = nn.Sequential(
            nn.Linear(in_channels, hidden), nn.GELU(), last
        )

    def forward(self, z: Tensor) -> Tensor:
        """Tokens (B, N, C) -> σ (B, P, D)."""
        z = self.norm(z)
        share = self.attention(z).softmax(1)
        raw = self.mlp((share * z).sum(1)).unflatten(
            1, (self.num_points, self.dims)
        )
        # Half precision has no room between two small scales.
        dtype = torch.promote_types(raw.dtype, torch.float32)
        sigma = self.min_sigma + F.softplus(raw.to(dtype))
        return sigma if self.training else sigma * self.temperature

    def loss(
        self,
        mean: Tensor,
        sigma: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: Tensor | float | None = None,
    ) -> Tensor:
        """Negative log-likelihood of labels, nats per point.

        Args:
            mean: μ (B, P, D).
            sigma: σ (B, P, D).
            target: labels (B, P, D); anything where the weight is 0.
            weight: (B, P), or (B, 1) for whole samples.
            avg_factor: divisor instead of the number of points of weight
                above 0.
        """
        num, total = self.points_per_step, mean.shape[1]
        if self.training and num is not None and num < total:
            if weight is None:
                weight = mean.new_ones(mean.shape[:2])
            index, share = _draw_labelled(
                weight.expand(mean.shape[:2]), num * len(mean)
            )
            # Points of the batch in one row: who has labels gets the steps.
            mean, sigma, target = (
                x.flatten(0, 1).index_select(0, index)[None]
                for x in (mean, sigma, target)
            )
            weight = weight.expand(-1, total).flatten()[index][None]
            if avg_factor is not None:
                avg_factor = avg_factor * share
        return self.loss_module(
            mean, sigma, target, self.flow, weight, avg_factor
        )

    @torch.no_grad()
    def sample(
        self,
        mean: Tensor,
        sigma: Tensor,
        num_samples: int,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draw points from the predicted density.

        Points are drawn independently of one another, as the head knows how
        far each may be off, and not which are off together.

        Args:
            mean: μ (B, P, D).
            sigma: σ (B, P, D).
            num_samples: S.
            generator: source of randomness. With one, all samples of the
                batch get the same draws, so that a result does not depend on
                the batch it came in.

        Returns:
            (S, B, P, D).
        """
        if self.loss_module.mode != 'exact':
            raise ValueError(
                "only the loss in mode 'exact' learns a density "
                'that can be sampled; this head has mode '
                f'{self.loss_module.mode!r}'
            )
        flow_mean, flow_std = self.flow.moments()
        batch, points = mean.shape[:2]
        people = batch if generator is None else 1
        residual = self.flow.sample((num_samples, people, points), generator)
        return mean + sigma * (residual - flow_mean) / flow_std


def _draw_labelled(weight: Tensor, num: int) -> tuple[Tensor, Tensor]:
    """Draw points whose weight (B, P) is above 0, without waiting for them.

    Returns:
        Indices (num,) into B P points, each at most once; others fill up
        where fewer than num are labelled. And the share of the labelled
        points that was drawn, 1 if there are none.
    """
    labelled = (weight > 0).flatten()
    key = torch.rand(labelled.shape, device=weight.device)
    index = torch.where(labelled, key, -1.0).argsort(descending=True)[:num]
    count = labelled.sum().clamp_min(1)
    return index, (num / count).clamp_max(1)


def _without_temperature(
    module: RLEFlowHead, state_dict: dict, prefix: str, *args
) -> None:
    """Accept weights that were saved before there was a temperature."""
    state_dict.setdefault(prefix + 'temperature', torch.ones(()))
