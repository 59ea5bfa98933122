"""Make a clean crop look like one of a poorer picture."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmd2a.datasets.transforms.randomness import draw_generator
from mmd2a.registry import TRANSFORMS


@TRANSFORMS.register_module()
class DegradeImage(BaseTransform):
    """Take from the image what cameras, files and small people lack.

    Each defect comes with its own probability, in the order in which a
    picture meets them: a lens out of focus, a hand that moves, few pixels on
    the person, the sensor's noise, compression; then the few pixels are
    enlarged to the crop, noise and blocks with them. Lengths are shares of
    the crop's longer side, so that one setting serves crops of any size.

    Only ``img`` changes, (h, w, 3) uint8 before and after. The defaults are
    our choice: two of five crops stay sharp in all respects.

    Args:
        blur_prob: probability of a Gaussian blur.
        blur: its largest standard deviation.
        motion_prob: probability of a blur along a line.
        motion: longest line.
        resize_prob: probability of fewer pixels.
        resize: least side of the picture before it is enlarged, as a share
            of the crop's; shares are drawn evenly in their logarithm.
        noise_prob: probability of noise.
        noise: its largest standard deviation, of full scale, where the
            picture is white. A quarter of the variance is there in the dark
            too (reading), the rest grows with the light (photons).
        jpeg_prob: probability of a JPEG compression.
        jpeg_quality: least and largest quality, 1 to 100.
        grey_prob: probability of losing all colour.

    Raises:
        ValueError: a probability, size or quality that cannot be meant.

    Example:
        >>> degrade = DegradeImage(jpeg_prob=1.0, jpeg_quality=(5, 20))
        >>> degrade(dict(img=np.zeros((96, 96, 3), np.uint8)))['img'].shape
        (96, 96, 3)
    """

    def __init__(
        self,
        blur_prob: float = 0.15,
        blur: float = 0.012,
        motion_prob: float = 0.08,
        motion: float = 0.06,
        resize_prob: float = 0.2,
        resize: float = 0.25,
        noise_prob: float = 0.2,
        noise: float = 0.06,
        jpeg_prob: float = 0.3,
        jpeg_quality: Sequence[int] = (15, 85),
        grey_prob: float = 0.03,
    ) -> None:
        self.probs = dict(
            blur_prob=blur_prob,
            motion_prob=motion_prob,
            resize_prob=resize_prob,
            noise_prob=noise_prob,
            jpeg_prob=jpeg_prob,
            grey_prob=grey_prob,
        )
        for name, prob in self.probs.items():
            if not 0 <= prob <= 1:
                raise ValueError(f'{name} must be in [0, 1], got {prob}')
        for name, size in dict(blur=blur, motion=motion, noise=noise).items():
            if not 0 <= size <= 1:
                raise ValueError(f'{name} must be in [0, 1], got {size}')
        if not 0 < resize <= 1:
            raise ValueError(f'resize must be in (0, 1], got {resize}')
        low, high = jpeg_quality
        if not 1 <= low <= high <= 100:
            raise ValueError(
                'jpeg_quality must be the least and the largest of 1 to 100, '
                f'got {tuple(jpeg_quality)}'
            )
        self.blur, self.motion, self.resize = blur, motion, resize
        self.noise, self.jpeg_quality = noise, (int(low), int(high))

    def transform(self, results: dict) -> dict:
        """Change ``img``."""
        rng = draw_generator(results, type(self).__name__)
        # Always equally many, so that defects do not depend on each other.
        chosen = dict(
            zip(self.probs, rng.random(6) < list(self.probs.values()))
        )
        sigma, length, turn, share, noise, quality, enlarge = rng.random(7)
        image = results['img']
        height, width = image.shape[:2]
        longer = max(height, width)
        if chosen['blur_prob']:
            image = _blur(image, sigma * self.blur * longer)
        if chosen['motion_prob']:
            image = _move(image, length * self.motion * longer, turn * np.pi)
        if chosen['resize_prob']:
            factor = self.resize**share
            image = cv2.resize(
                image,
                (
                    max(round(width * factor), 1),
                    max(round(height * factor), 1),
                ),
                interpolation=cv2.INTER_AREA,
            )
        if chosen['noise_prob']:
            image = _add_noise(image, noise * self.noise, rng)
        if chosen['grey_prob']:
            image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        if chosen['jpeg_prob']:
            low, high = self.jpeg_quality
            image = _compress(image, low + int(quality * (high - low + 1)))
        if image.shape[:2] != (height, width):
            image = cv2.resize(
                image,
                (width, height),
                interpolation=(
                    cv2.INTER_LINEAR if enlarge < 0.5 else cv2.INTER_CUBIC
                ),
            )
        results['img'] = image
        return results

    def __repr__(self) -> str:
        settings = dict(
            self.probs,
            blur=self.blur,
            motion=self.motion,
            resize=self.resize,
            noise=self.noise,
            jpeg_quality=self.jpeg_quality,
        )
        inside = ', '.join(f'{key}={value}' for key, value in settings.items())
        return f'{type(self).__name__}({inside})'


def _blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur by a Gaussian of ``sigma`` pixels; below a sixth, not at all."""
    if sigma < 1 / 6:
        return image
    return cv2.GaussianBlur(image, (0, 0), sigma)


def _move(image: np.ndarray, length: float, angle: float) -> np.ndarray:
    """Blur along a line of ``length`` pixels, evenly exposed."""
    # A line of n pixels has its ends n - 1 apart.
    reach = int(np.ceil(length / 2))
    if reach < 1:
        return image
    size = 2 * reach + 1
    kernel = np.zeros((size, size), np.float32)
    step = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    # Sub-pixel ends, in sixteenths of a pixel as cv2.line takes them.
    ends = [
        np.round((reach + sign * step) * 16).astype(int) for sign in (-1, 1)
    ]
    cv2.line(kernel, ends[0].tolist(), ends[1].tolist(), 1.0, 1, cv2.LINE_8, 4)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def _add_noise(
    image: np.ndarray, strength: float, rng: np.random.Generator
) -> np.ndarray:
    """Add the noise of reading (a quarter of the variance) and of photons."""
    light = np.arange(256, dtype=np.float32) / 255
    deviation = (255 * strength * np.sqrt(0.25 + 0.75 * light)).take(image)
    deviation *= rng.standard_normal(image.shape, np.float32)
    deviation += image
    return np.clip(deviation + 0.5, 0, 255).astype(np.uint8)


def _compress(image: np.ndarray, quality: int) -> np.ndarray:
    """Write a JPEG in memory and read it again."""
    done, data = cv2.imencode(
        '.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not done:
        raise RuntimeError(f'OpenCV cannot write a JPEG of {image.shape}')
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
