"""Find the joints in the image: heat maps on the maps of a backbone."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmd2a.registry import MODELS
from mmd2a.structures import LocalizedJoints

# A cell without a chance keeps the entropy finite.
_TINY = 1e-6


@MODELS.register_module()
class JointLocalizer(BaseModule):
    r"""Find joints by heat maps, and gather the features under them.

    The maps of the backbone are summed top-down onto the finest, as an FPN
    does, residual blocks at each level but the finest: what is where is known
    to the coarse maps, and has to be told to its neighbours before it is put
    on a finer grid. A 1 x 1 convolution turns that map f into one heat map
    per joint,

    .. math:: h_j = \operatorname{softmax}_x(w_j^\top f_x), \quad
              u_j = \sum_x h_{jx}\, x, \quad
              s_j^2 = \sum_x h_{jx} (x - u_j)^2, \quad
              f_j = \sum_x h_{jx} f_x

    with the centres x of the cells in crop coordinates. A mesh head takes
    the joints :math:`u_j`, their spread :math:`s_j` and features
    :math:`f_j`; as all three are differentiable, its losses train the heat
    maps too. By itself it learns from

    .. math:: L = \lambda_h\, \overline{H(g_j, h_j)}
              + \lambda_u\, \overline{|u_j - \hat u_j|}

    the cross-entropy against a Gaussian g about the labelled joint, for
    joints inside the crop, and the distance for all labelled ones.

    B: batch, J: joints, F: width, (h, w): finest map.

    Args:
        in_channels: channels of the maps, finest first, of the strides of a
            backbone (4, 8, 16, 32).
        num_joints: J.
        channels: F.
        num_blocks: residual blocks per level.
        sigma: standard deviation of g in cells.
        heatmap_weight: the factor :math:`\lambda_h`.
        keypoints_weight: the factor :math:`\lambda_u`.
        init_cfg: MMEngine initialisation, such as weights that ship.

    Our addition: D2A-HMR has no such part. Heat maps and their mean are those
    of Sun et al., "Integral Human Pose Regression", ECCV 2018; the features
    under the joints those of the pose-guided attention of PARE, Kocabas et
    al., ICCV 2021.

    Example:
        >>> localizer = JointLocalizer([16, 32], num_joints=14)
        >>> maps = torch.rand(2, 16, 24, 24), torch.rand(2, 32, 12, 12)
        >>> joints = localizer(maps)
        >>> joints.keypoints2d.shape, joints.features.shape
        (torch.Size([2, 14, 2]), torch.Size([2, 14, 64]))
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        num_joints: int = 14,
        channels: int = 64,
        num_blocks: int = 1,
        sigma: float = 1.0,
        heatmap_weight: float = 1.0,
        keypoints_weight: float = 2.0,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.num_joints, self.channels = num_joints, channels
        self.sigma = sigma
        self.heatmap_weight = heatmap_weight
        self.keypoints_weight = keypoints_weight
        self.lateral = nn.ModuleList(
            nn.Conv2d(count, channels, 1) for count in in_channels
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(*(_Residual(channels) for _ in range(num_blocks)))
            for _ in in_channels[1:]
        )
        self.smooth = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )
        self.heatmaps = nn.Conv2d(channels, num_joints, 1)
        # Flat heat maps at the start: every cell learns.
        nn.init.normal_(self.heatmaps.weight, std=0.01)

    def forward(self, maps: Sequence[Tensor]) -> LocalizedJoints:
        """Find the joints.

        Args:
            maps: feature maps (B, C_i, h_i, w_i), finest first.
        """
        if len(maps) != len(self.lateral):
            raise ValueError(
                f'JointLocalizer is built for {len(self.lateral)} maps '
                f'(in_channels), got {len(maps)}'
            )
        merged = self.lateral[-1](maps[-1])
        for block, lateral, finer in zip(
            self.blocks[::-1], self.lateral[-2::-1], maps[-2::-1]
        ):
            merged = lateral(finer) + F.interpolate(
                block(merged), finer.shape[-2:], mode='nearest'
            )
        merged = self.smooth(merged)
        logits = self.heatmaps(merged)
        # Half precision has too few steps for a place among a thousand cells.
        with torch.autocast(logits.device.type, enabled=False):
            logits = logits.to(torch.promote_types(logits.dtype, torch.float))
            share = logits.flatten(2).softmax(-1)
            cells = share.unflatten(2, logits.shape[-2:])
            keypoints2d, spread = _moments(cells)
            features = share @ merged.flatten(2).transpose(1, 2).to(share)
        return LocalizedJoints(keypoints2d, spread, features, logits)

    def loss(
        self, joints: LocalizedJoints, keypoints2d: Tensor, weight: Tensor
    ) -> dict[str, Tensor]:
        """Compare heat maps with labels.

        Args:
            joints: what :meth:`forward` gave.
            keypoints2d: labels (B, J, 2) in crop coordinates; anything where
                the weight is 0.
            weight: (B, J).

        Returns:
            ``loss_heatmap`` and ``loss_localized``.
        """
        known = weight > 0
        target = torch.where(known[..., None], keypoints2d, 0.0)
        inside = known & (target.abs().amax(-1) < 1)
        weight = torch.where(known, weight, 0.0)
        share = self._gaussians(target, joints.logits.shape[-2:])
        entropy = -(share * joints.logits.flatten(2).log_softmax(-1)).sum(-1)
        distance = (joints.keypoints2d - target).abs().mean(-1)
        return dict(
            loss_heatmap=self.heatmap_weight
            * (entropy * weight * inside).sum()
            / inside.sum().clamp_min(1),
            loss_localized=self.keypoints_weight
            * (distance * weight).sum()
            / known.sum().clamp_min(1),
        )

    def _gaussians(self, centre: Tensor, size: Sequence[int]) -> Tensor:
        """Gaussians (B, J, h w) about centres (B, J, 2), of sum 1."""
        height, width = size

        def along(axis: int, cells: int) -> Tensor:
            away = _centres(cells, centre) - centre[..., axis, None]
            return torch.exp(-0.5 * (away * cells / 2 / self.sigma) ** 2)

        bump = along(1, height)[..., None] * along(0, width)[..., None, :]
        bump = bump.flatten(2)
        return bump / bump.sum(-1, keepdim=True).clamp_min(_TINY)


class _Residual(nn.Module):
    """Two 3 x 3 convolutions beside the identity, which it starts as."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        last = nn.BatchNorm2d(channels)
        nn.init.zeros_(last.weight)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            last,
        )

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.layers(maps)


def _centres(cells: int, like: Tensor) -> Tensor:
    """Centres (cells,) of the cells of a map in crop coordinates."""
    index = torch.arange(cells, device=like.device, dtype=like.dtype)
    return (2 * index + 1) / cells - 1


def _moments(cells: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (B, J, 2) of heat maps (B, J, h, w)."""
    along_x, along_y = cells.sum(2), cells.sum(3)
    mean, spread = [], []
    for share in (along_x, along_y):
        place = _centres(int(share.shape[-1]), share)
        centre = (share * place).sum(-1)
        variance = (share * (place - centre[..., None]) ** 2).sum(-1)
        mean.append(centre)
        # The root of zero has no slope.
        spread.append((variance + _TINY).sqrt())
    return torch.stack(mean, -1), torch.stack(spread, -1)
