"""From a list of crops to one normalised batch on the device."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmd2a.depth import check_normalization, normalize_depth
from mmd2a.registry import MODELS


@MODELS.register_module()
class BodyDataPreprocessor(BaseDataPreprocessor):
    """Stack, move to the device and normalise images and depth.

    B: batch, H, W: crop size.

    Takes what the pipeline gives, collated: ``inputs`` with ``img``, B
    tensors (3, H, W) uint8 BGR, and optionally ``depth``, B tensors (1, H, W)
    with NaN where invalid. Gives ``inputs`` with ``img`` (B, 3, H, W)
    float32; and with depth also ``depth`` (B, 2, H, W), normalised depth and
    valid mask, and ``has_depth`` (B,), 1 where any pixel is valid. Everything
    else, ``data_samples`` first, is moved to the device.

    Args:
        mean, std: per channel, in the order the model sees, on the 0..255
            scale. Defaults: ImageNet, RGB.
        bgr_to_rgb: reverse the channels before normalising.
        depth_normalization: arguments of
            :func:`~mmd2a.depth.normalize_depth`.
        non_blocking: as in :class:`mmengine.model.BaseDataPreprocessor`.

    Raises:
        ValueError: crops or depth of different sizes, or samples whose
            ``depth_kind`` has no unit, normalised as metric.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        mean: Sequence[float] = (123.675, 116.28, 103.53),
        std: Sequence[float] = (58.395, 57.12, 57.375),
        bgr_to_rgb: bool = True,
        depth_normalization: dict | None = None,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking=non_blocking)
        for name, value in (('mean', mean), ('std', std)):
            self.register_buffer(
                name,
                torch.tensor(value, dtype=torch.float32).view(-1, 1, 1),
                persistent=False,
            )
        self.bgr_to_rgb = bgr_to_rgb
        self.depth_normalization = depth_normalization or {}

    def forward(
        self, data: dict[str, Any], training: bool = False
    ) -> dict[str, Any]:
        """Return the batch as the model takes it."""
        # Stacked before they move: one transfer, and of bytes, not floats.
        inputs = {
            key: _stack(data['inputs'][key], key)
            for key in ('img', 'depth')
            if key in data['inputs']
        }
        batch = self.cast_data({**data, 'inputs': inputs})
        inputs = batch['inputs']
        image = inputs['img']
        if self.bgr_to_rgb:
            image = image.flip(1)
        inputs['img'] = (image.float() - self.mean) / self.std
        if 'depth' in inputs:
            if inputs['depth'].shape[2:] != image.shape[2:]:
                raise ValueError(
                    f'depth is {_size(inputs["depth"])} (HxW) but the crops '
                    f'are {_size(image)}; PersonCrop gives both one size'
                )
            mode = self.depth_normalization.get('mode', 'metric')
            for sample in data.get('data_samples') or ():
                check_normalization(sample.get('depth_kind'), mode)
            depth = normalize_depth(
                inputs['depth'], **self.depth_normalization
            )
            inputs['depth'] = depth
            inputs['has_depth'] = depth[:, 1].flatten(1).amax(1)
        return batch


def _stack(tensors: Tensor | Sequence[Tensor], key: str) -> Tensor:
    if isinstance(tensors, Tensor):
        return tensors
    sizes = sorted({tuple(tensor.shape) for tensor in tensors})
    if len(sizes) > 1:
        raise ValueError(
            f"samples of one batch differ in the shape of '{key}': "
            f'{", ".join(map(str, sizes))}; give all pipelines the same '
            'PersonCrop(size=...)'
        )
    return torch.stack(list(tensors))


def _size(tensor: Tensor) -> str:
    return 'x'.join(map(str, tensor.shape[-2:]))
