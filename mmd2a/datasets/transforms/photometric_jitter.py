"""Change the light of a crop, not its content."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmd2a.datasets.transforms.randomness import draw_generator
from mmd2a.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PhotometricJitter(BaseTransform):
    r"""Vary brightness, contrast and colour of the image at random.

    .. math:: v' = \operatorname{clip}(g_c\, k\, (v - 128) + 128 + b)

    for each channel c, with all factors drawn uniformly. One table look-up.

    Args:
        brightness: largest change b, as part of the full range.
        contrast: factor k within 1 +- this.
        color: factor :math:`g_c` of each channel within 1 +- this.
    """

    def __init__(
        self,
        brightness: float = 0.15,
        contrast: float = 0.3,
        color: float = 0.15,
    ) -> None:
        self.brightness = brightness
        self.contrast = contrast
        self.color = color
        self._levels = np.arange(256, dtype=np.float32)[:, None] - 128

    def transform(self, results: dict) -> dict:
        """Change ``img``."""
        rng = draw_generator(results, type(self).__name__)
        draw = rng.uniform(-1, 1, 5).astype(np.float32)
        gain = (1 + draw[1] * self.contrast) * (1 + draw[2:] * self.color)
        offset = 128 + 255 * draw[0] * self.brightness
        table = np.clip(self._levels * gain + offset, 0, 255)
        results['img'] = cv2.LUT(
            results['img'], table.round().astype(np.uint8)[None]
        )
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(brightness={self.brightness}, '
            f'contrast={self.contrast}, color={self.color})'
        )
