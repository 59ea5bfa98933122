"""From a list of crops to one normalised batch on the device."""

import logging
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.logging import print_log
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
        depth_dropout: probability of a sample losing its depth in training,
            so that the model learns to do without.
        ignore_depth: take all depth for missing, in testing too: how well
            the model does without.
        swap_depth: everybody gets the depth of the next one of the batch:
            how the model takes depth that is wrong. A batch of one keeps its.
        non_blocking: as in :class:`mmengine.model.BaseDataPreprocessor`.

    How many samples with and without depth the model was trained on is kept
    in its checkpoints. One that met none without says so, once, when it gets
    such a sample in testing: what it answers then is not what it learned.

    Raises:
        ValueError: crops or depth of different sizes, or samples whose
            ``depth_kind`` has no unit, normalised as metric.
    """

    mean: Tensor
    std: Tensor
    # Samples trained on: with depth, and without (-1: not recorded).
    depth_record: Tensor

    def __init__(
        self,
        mean: Sequence[float] = (123.675, 116.28, 103.53),
        std: Sequence[float] = (58.395, 57.12, 57.375),
        bgr_to_rgb: bool = True,
        depth_normalization: dict | None = None,
        depth_dropout: float = 0.0,
        ignore_depth: bool = False,
        swap_depth: bool = False,
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
        if not 0 <= depth_dropout <= 1:
            raise ValueError(
                f'depth_dropout must be in [0, 1], got {depth_dropout}'
            )
        self.depth_dropout = depth_dropout
        self.ignore_depth, self.swap_depth = ignore_depth, swap_depth
        self.register_buffer('depth_record', torch.zeros(2, dtype=torch.int64))
        self.register_load_state_dict_pre_hook(_record_may_be_absent)
        self._has_warned = False

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
        # In the memory of the difference, which is nobody else's.
        inputs['img'] = (image.float() - self.mean).div_(self.std)
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
            if self.swap_depth:
                depth = depth.roll(1, 0)
            has_depth = depth[:, 1].flatten(1).amax(1)
            lost = self._lost(has_depth, training)
            inputs['depth'] = depth.masked_fill(lost[:, None, None, None], 0.0)
            inputs['has_depth'] = has_depth.masked_fill(lost, 0.0)
            if training:
                self._record(inputs['has_depth'])
            else:
                self._warn_of_the_unknown(inputs['has_depth'])
        return batch

    def _lost(self, has_depth: Tensor, training: bool) -> Tensor:
        """Which samples (B,) do not get the depth they have."""
        if self.ignore_depth:
            return torch.ones_like(has_depth, dtype=torch.bool)
        if not training or not self.depth_dropout:
            return torch.zeros_like(has_depth, dtype=torch.bool)
        return torch.rand_like(has_depth) < self.depth_dropout

    def _record(self, has_depth: Tensor) -> None:
        """Count samples, without waiting for the device."""
        present = (has_depth > 0).sum()
        absent = len(has_depth) - present
        known = self.depth_record[1].clamp_min(0)
        self.depth_record[0] += present
        # What an earlier training met stays unknown until this one meets it.
        self.depth_record[1] = torch.where(
            absent > 0, known + absent, self.depth_record[1]
        )

    def _warn_of_the_unknown(self, has_depth: Tensor) -> None:
        """Say once that people without depth are new to the model."""
        if self._has_warned or has_depth.is_meta:
            return
        present, absent = self.depth_record.tolist()
        if absent > 0 or (absent == 0 and present == 0):
            return
        missing = int((has_depth <= 0).sum())
        if not missing:
            return
        self._has_warned = True
        if absent < 0:
            past = (
                'its checkpoint, older than that record, does not say whether '
                'it met such samples in training'
            )
        else:
            past = f'it met none in training ({present} samples with depth)'
        print_log(
            f'{missing} of {len(has_depth)} samples have no depth, and the '
            f'model may not know what to do without: {past}. Train with '
            'model.data_preprocessor.depth_dropout=0.1',
            logger='current',
            level=logging.WARNING,
        )


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


def _record_may_be_absent(
    module: BodyDataPreprocessor, state_dict: dict, prefix: str, *args: Any
) -> None:
    """Accept checkpoints that are older than the record."""
    state_dict.setdefault(
        f'{prefix}depth_record', torch.full_like(module.depth_record, -1)
    )
