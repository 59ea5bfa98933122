"""RGB-D batches for models of other packages."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmd2a.depth import normalize_depth
from mmd2a.mixing.stacking import unstack_depth
from mmd2a.registry import MODELS


@MODELS.register_module()
class RGBDDataPreprocessor(BaseDataPreprocessor):
    """Give depth to the data preprocessor of another package.

    That preprocessor gets the colour channels alone and does all it does
    without depth: normalise, pad, write meta information, convert labels.
    Depth is normalised and padded (with "invalid") to the same size beside
    it, and both become one RGB-D image for :class:`RGBDBackbone`.

    B: batch, (H, W): images, (H', W'): padded.

    Takes ``inputs``, B tensors (5, H, W) as ``mmd2a.StackDepth`` makes and
    any package's packing transform packs them, or (B, 5, H, W). Gives
    ``inputs`` (B, 5, H', W'): normalised colour (3), normalised depth (1),
    validity (1); everything else as the inner preprocessor gives it.

    Args:
        image: config of the preprocessor of the images:
            ``mmpose.PoseDataPreprocessor``, ``mmdet.DetDataPreprocessor``,
            ``mmpretrain.ClsDataPreprocessor``, ``ImgDataPreprocessor`` ...
        depth_normalization: arguments of
            :func:`~mmd2a.depth.normalize_depth`.
        batch_augments: None, and only there because mmpretrain's classifiers
            hand it to every preprocessor. Augmentations that mix or resize
            the images of a batch would leave depth behind.
        non_blocking: as in :class:`mmengine.model.BaseDataPreprocessor`.

    Example:
        >>> preprocess = RGBDDataPreprocessor(
        ...     image=dict(type='ImgDataPreprocessor', pad_size_divisor=32))
        >>> batch = preprocess(dict(inputs=[torch.ones(5, 40, 30)] * 2))
        >>> batch['inputs'].shape
        torch.Size([2, 5, 64, 32])
    """

    def __init__(
        self,
        image: dict,
        depth_normalization: dict | None = None,
        batch_augments: None = None,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking=non_blocking)
        if batch_augments or image.get('batch_augments'):
            raise ValueError(
                'batch_augments change the images of a batch and not their '
                'depth: remove them from the data preprocessor and from '
                "model.train_cfg['augments']"
            )
        self.image = MODELS.build(image)
        self.depth_normalization = depth_normalization or {}

    def forward(
        self, data: dict[str, Any], training: bool = False
    ) -> dict[str, Any]:
        """Return the batch as the model takes it."""
        if self.image.device != self.device:
            self.image.to(self.device)
        for tensor in data['inputs']:
            if tensor.ndim != 3 or tensor.shape[0] != 5:
                raise ValueError(
                    f'RGBDDataPreprocessor takes images (5, H, W), got '
                    f"{tuple(tensor.shape)}; add dict(type='mmd2a.StackDepth')"
                    ' to the pipeline, before its geometric transforms'
                )
        self._refuse_depth_without_unit(data['inputs'])
        data = self.cast_data(data)
        stacked = data['inputs']
        color: Tensor | Sequence[Tensor]
        if isinstance(stacked, Tensor):
            color, groups = stacked[:, :3], [stacked[:, 3:]]
        else:
            color = [tensor[:3] for tensor in stacked]
            groups = [tensor[None, 3:] for tensor in stacked]
            if len({group.shape for group in groups}) == 1:
                groups = [torch.cat(groups)]  # Faster than one by one.
        batch = self.image({**data, 'inputs': color}, training)
        height, width = batch['inputs'].shape[-2:]
        depth = torch.cat(
            [
                _pad(
                    normalize_depth(
                        unstack_depth(channels), **self.depth_normalization
                    ),
                    height,
                    width,
                )
                for channels in groups
            ]
        )
        return {**batch, 'inputs': torch.cat([batch['inputs'], depth], 1)}

    def _refuse_depth_without_unit(
        self, stacked: Tensor | Sequence[Tensor]
    ) -> None:
        """The samples of other packages do not say of what kind depth is.

        What is negative is no metric depth, and would be left out in silence.
        """
        if self.depth_normalization.get('mode', 'metric') != 'metric':
            return
        # Before it moves to the device, whose answer would be waited for.
        if any((tensor[3] < 0).any() for tensor in stacked):
            raise ValueError(
                'depth has negative values, which metric depth has not: give '
                "RGBDDataPreprocessor depth_normalization=dict(mode='affine')"
            )


def _pad(depth: Tensor, height: int, width: int) -> Tensor:
    """Pad (B, 2, H, W) at the right and bottom, as images are padded."""
    down, right = height - depth.shape[2], width - depth.shape[3]
    if down < 0 or right < 0:
        raise ValueError(
            f'the image preprocessor made images of {height} x {width} from '
            f'{depth.shape[2]} x {depth.shape[3]}; it may normalise and pad, '
            'but not crop or shrink them'
        )
    return F.pad(depth, (0, right, 0, down))
