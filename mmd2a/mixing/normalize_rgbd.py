"""Normalise RGB-D images in the pipeline."""

from collections.abc import Sequence

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from mmd2a.depth import check_normalization, normalize_depth
from mmd2a.mixing.stacking import unstack_depth
from mmd2a.registry import TRANSFORMS


@TRANSFORMS.register_module()
class NormalizeRGBD(BaseTransform):
    """Normalise colour and depth of an RGB-D image, sample by sample.

    For pipelines that normalise images themselves, as MMHuman3D's do: it
    takes the place of their ``Normalize``. Elsewhere use
    ``mmd2a.RGBDDataPreprocessor``, which does the same for a batch.

    Reads ``img`` (H, W, 5) of ``mmd2a.StackDepth``; sets ``img`` (H, W, 5)
    float32, what ``mmd2a.RGBDBackbone`` takes: normalised colour, normalised
    depth and its validity; and ``img_norm_cfg``.

    Args:
        mean, std: per channel, in the order the model sees, on the 0..255
            scale. Defaults: ImageNet, RGB.
        to_rgb: reverse the colour channels before normalising.
        depth_normalization: arguments of
            :func:`~mmd2a.depth.normalize_depth`.

    Example:
        >>> out = NormalizeRGBD()(dict(img=np.ones((4, 4, 5), np.float32)))
        >>> out['img'][0, 0, 3:].tolist()
        [0.0, 1.0]
    """

    def __init__(
        self,
        mean: Sequence[float] = (123.675, 116.28, 103.53),
        std: Sequence[float] = (58.395, 57.12, 57.375),
        to_rgb: bool = True,
        depth_normalization: dict | None = None,
    ) -> None:
        self.mean = np.array(mean, np.float32)
        self.std = np.array(std, np.float32)
        self.to_rgb = to_rgb
        self.depth_normalization = depth_normalization or {}

    def transform(self, results: dict) -> dict:
        """Replace ``img``."""
        image = results['img']
        if image.ndim != 3 or image.shape[2] != 5:
            raise ValueError(
                f"NormalizeRGBD takes 'img' (H, W, 5), got {image.shape}; put "
                "dict(type='mmd2a.StackDepth') before it"
            )
        check_normalization(
            results.get('depth_kind'),
            self.depth_normalization.get('mode', 'metric'),
        )
        color = image[..., 2::-1] if self.to_rgb else image[..., :3]
        channels = torch.from_numpy(
            np.array(image[..., 3:].transpose(2, 0, 1), np.float32)
        )[None]
        depth = normalize_depth(
            unstack_depth(channels), **self.depth_normalization
        )[0]
        results['img'] = np.concatenate(
            [(color - self.mean) / self.std, depth.permute(1, 2, 0).numpy()],
            -1,
            dtype=np.float32,
        )
        results['img_norm_cfg'] = dict(
            mean=self.mean, std=self.std, to_rgb=self.to_rgb
        )
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(mean={self.mean.tolist()}, '
            f'std={self.std.tolist()}, to_rgb={self.to_rgb}, '
            f'depth_normalization={self.depth_normalization})'
        )
