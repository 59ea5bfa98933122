"""Depth for models whose backbone takes one tensor."""

from mmengine.model import BaseModule
from torch import Tensor

from mmd2a.depth import zero_missing_depth
from mmd2a.registry import MODELS
from mmd2a.structures import RGBDFeatures

DEFAULT_DEPTH_BRANCH = dict(type='mmd2a.DepthBranch')


@MODELS.register_module()
class RGBDBackbone(BaseModule):
    """Run an image backbone and a depth branch on one RGB-D image.

    Models of mmpose, mmdet, mmpretrain and MMHuman3D hand one tensor to
    their backbone. An RGB-D image is such a tensor with five channels:
    normalised colour (3), normalised depth (1) and its validity (1 or 0), as
    :class:`RGBDDataPreprocessor` or the transform ``mmd2a.NormalizeRGBD``
    give it. Test-time flips and crops of it act on all of them alike.

    What it returns is what ``mmd2a.DepthCrossAttentionNeck`` takes in the
    position of the neck::

        model = dict(
            type='mmpose.TopdownPoseEstimator',
            data_preprocessor=dict(
                type='mmd2a.RGBDDataPreprocessor',
                image=dict(type='mmpose.PoseDataPreprocessor', ...)),
            backbone=dict(
                type='mmd2a.RGBDBackbone',
                backbone=dict(type='mmpose.ResNet', depth=50)),
            neck=dict(
                type='mmd2a.DepthCrossAttentionNeck',
                in_channels=2048, embed_dims=512),
            head=dict(type='mmpose.HeatmapHead', in_channels=512, ...))

    B: batch, (H, W): image.

    Args:
        backbone: config of a backbone for (B, 3, H, W), from any package;
            gives one feature map or a sequence of them.
        depth_branch: config of the depth backbone for (B, 2, H, W): a
            :class:`DepthBranch`, or any backbone with ``in_channels=2``.
        init_cfg: MMEngine initialisation.

    Example:
        >>> net = RGBDBackbone(dict(type='mmd2a.DepthBranch', in_channels=3))
        >>> maps = net(torch.zeros(2, 5, 64, 64))
        >>> maps.image[-1].shape, maps.depth[-1].shape, maps.has_depth
        (torch.Size([2, 128, 4, 4]), torch.Size([2, 128, 4, 4]),
         tensor([0., 0.]))
    """

    def __init__(
        self,
        backbone: dict,
        depth_branch: dict = DEFAULT_DEPTH_BRANCH,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.backbone = MODELS.build(backbone)
        self.depth_branch = MODELS.build(depth_branch)

    def forward(self, inputs: Tensor) -> RGBDFeatures:
        """Map RGB-D images (B, 5, H, W) to features of both streams."""
        if inputs.ndim != 4 or inputs.shape[1] != 5:
            raise ValueError(
                f'RGBDBackbone takes (B, 5, H, W): colour, depth, validity; '
                f'got {tuple(inputs.shape)}. Add the transform '
                "'mmd2a.StackDepth' to the pipeline and data_preprocessor="
                "dict(type='mmd2a.RGBDDataPreprocessor', image=...) to the "
                'model'
            )
        depth = zero_missing_depth(inputs[:, 3:])
        return RGBDFeatures(
            image=_as_tuple(self.backbone(inputs[:, :3])),
            depth=_as_tuple(self.depth_branch(depth)),
            has_depth=depth[:, 1].flatten(1).amax(1),
        )


def _as_tuple(
    maps: Tensor | tuple[Tensor, ...] | list[Tensor],
) -> tuple[Tensor, ...]:
    return (maps,) if isinstance(maps, Tensor) else tuple(maps)
