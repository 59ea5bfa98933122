"""Residual log-likelihood for mmpose's RLE head."""

from torch import Tensor, nn

from mmd2a.models.flows.flow_of_loss import DEFAULT_FLOW, flow_config
from mmd2a.models.losses.reduction import full_precision
from mmd2a.models.losses.rle_loss import RLELoss
from mmd2a.registry import MODELS


@MODELS.register_module()
class KeypointRLELoss(nn.Module):
    r"""Take the place of mmpose's ``RLELoss`` in its ``RLEHead``.

    .. math:: L = \frac{\lambda}{B} \sum_{b,k} w_{bk}\, \ell\bigl(\mu_{bk},
              \operatorname{sigmoid}(s_{bk}), x_{bk}\bigr)

    with :math:`\ell` of :class:`RLELoss`: in mode 'exact' a true negative
    log-likelihood, in which σ is the standard deviation of a keypoint; in
    'parity' mmpose's numbers. Unlike there, keypoints of weight 0 leave no
    trace, whatever their labels hold.

    B: batch, K: keypoints, D: 2 or 3. Keypoints in parts of the input size,
    as mmpose's ``RegressionLabel`` encodes them.

    The flow is ``flow_model``, as in mmpose: a checkpoint of mmpose's
    ``RLEHead`` loads, flow included.

    Args:
        mode: ``'exact'``, ``'parity'`` or ``'paper'``; see :class:`RLELoss`.
        flow: config of the flow. By default :class:`RealNVP` in two dims,
            with a Laplace base for mode 'exact' and the published normal one
            for the others. None: that base alone.
        q_distribution: see :class:`RLELoss`.
        use_target_weight: weigh keypoints; False: all count fully.
        loss_weight: the factor λ.

    Li et al., Human pose regression with residual log-likelihood estimation,
    ICCV 2021, arXiv:2107.11291.

    Example:
        >>> loss = KeypointRLELoss(use_target_weight=True)
        >>> pred, raw_sigma = torch.zeros(2, 3, 17, 2)
        >>> target, weight = torch.ones(3, 17, 2), torch.ones(3, 17, 1)
        >>> loss(pred, raw_sigma, target, weight).shape
        torch.Size([])
    """

    def __init__(
        self,
        mode: str = 'exact',
        flow: dict | None = DEFAULT_FLOW,
        q_distribution: str = 'laplace',
        use_target_weight: bool = False,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.rle = RLELoss(mode, q_distribution, loss_weight=loss_weight)
        self.use_target_weight = use_target_weight
        self._flow_cfg = flow_config(flow, mode, dims=2)
        self.flow_model = MODELS.build(self._flow_cfg)

    def init_weights(self) -> None:
        """Start the flow as it starts on its own.

        The head around it initialises every linear layer inside it alike,
        which would leave the flow nearly without gradients.
        """
        fresh = MODELS.build(self._flow_cfg)
        self.flow_model.load_state_dict(fresh.state_dict())

    def forward(
        self,
        pred: Tensor,
        sigma: Tensor,
        target: Tensor,
        target_weight: Tensor | None = None,
    ) -> Tensor:
        """Sum the loss over keypoints and average it over the batch.

        Args:
            pred: μ (B, K, D).
            sigma: s (B, K, D), before the sigmoid.
            target: x (B, K, D); anything where the weight is 0.
            target_weight: w (B, K, 1); needed with ``use_target_weight``.
        """
        weight = None
        if self.use_target_weight:
            expected = (*pred.shape[:2], 1)
            if target_weight is None or target_weight.shape != expected:
                got = (
                    None
                    if target_weight is None
                    else tuple(target_weight.shape)
                )
                raise ValueError(
                    f'use_target_weight=True needs target_weight'
                    f' {expected}, got {got}'
                )
            weight = target_weight[..., 0]
        return self.rle(
            pred,
            full_precision(sigma).sigmoid(),
            target,
            self.flow_model,
            weight,
            avg_factor=max(len(pred), 1),
        )
