"""From light to an image: exposure, tone curve, blur, noise."""

from typing import NamedTuple

import cv2
import numpy as np

from mmd2a.people.textures import gaussian_noise

__all__ = ['Lens', 'develop']

# Brightest over middle light that an exposure for the scene makes room for.
_LARGEST_RANGE = 5.0


class Lens(NamedTuple):
    """What camera and sensor do to the light.

    Attributes:
        exposure: factor on the light.
        gamma: exponent of the tone curve is 1 / gamma.
        contrast: slope around middle grey.
        blur: standard deviation of the focus blur, share of the image size.
        noise: standard deviation of the noise, of full scale.
        noise_corner: (2,) where the noise is cut from its bank.
        motion: (2,) path of the camera during the exposure, share of size.
        white: light that the brightest 3 % exceed after an exposure for the
            scene (1 is nearly white), more where most is dark; None: the
            same exposure whatever the scene.
        saturation: factor on the distance of colours from grey.
        sharpening: how much of the finest detail is added once more.
    """

    exposure: float
    gamma: float
    contrast: float
    blur: float
    noise: float
    noise_corner: tuple[int, int]
    motion: tuple[float, float]
    white: float | None = None
    saturation: float = 1.0
    sharpening: float = 0.0

    @classmethod
    def sample(
        cls, rng: np.random.Generator, motion_blur: bool = False
    ) -> 'Lens':
        """Draw a camera; ``motion_blur`` moves it during the exposure."""
        direction, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.012, 0.05)
        motion = (length * np.cos(direction), length * np.sin(direction))
        return cls(
            float(np.exp(rng.normal() * 0.18)),
            float(rng.uniform(1.7, 2.3)),
            float(rng.uniform(0.9, 1.15)),
            float(rng.uniform(0.0008, 0.0026)),
            float(rng.uniform(0.004, 0.02)),
            (int(rng.integers(256)), int(rng.integers(256))),
            motion if motion_blur else (0.0, 0.0),
        )


def develop(image: np.ndarray, lens: Lens) -> np.ndarray:
    """Turn linear RGB (H, W, 3) into the camera's 8-bit BGR image."""
    size = len(image)
    if any(lens.motion):
        image = cv2.filter2D(
            image.astype(np.float32),
            -1,
            _motion_kernel(lens, size),
            borderType=cv2.BORDER_REPLICATE,
        )
    image = cv2.GaussianBlur(
        image.astype(np.float32), (0, 0), max(lens.blur * size, 0.25)
    )
    if lens.white is not None:
        light = np.asarray(image, np.float32)[::3, ::3]
        middle, bright = np.percentile(light, (50, 97))
        # A window does not leave the room in the dark.
        bright = min(bright, _LARGEST_RANGE * middle)
        image = image * np.float32(lens.white / max(float(bright), 1e-3))
    # A soft shoulder keeps bright cloth from burning out.
    image = np.maximum(image * np.float32(lens.exposure), 0)
    image *= (np.float32(1.75) + np.float32(0.21) * image) / (1 + image)
    image = np.asarray(cv2.pow(image, 1 / lens.gamma), np.float32)
    image -= np.float32(0.5)
    image *= np.float32(lens.contrast)
    if lens.saturation != 1:
        grey = image.mean(2, keepdims=True)
        image = grey + np.float32(lens.saturation) * (image - grey)
    if lens.sharpening:
        smooth = cv2.GaussianBlur(image, (0, 0), 1)
        image += np.float32(lens.sharpening) * (image - smooth)
    row, column = lens.noise_corner
    noise = gaussian_noise()
    noise = noise[row : row + 256, column : column + 256]
    if size > 256:
        repeat = -(-size // 256)
        noise = np.tile(noise, (repeat, repeat, 1))
    noise = noise[:size, :size]
    image += noise * np.float32(lens.noise)
    image = cv2.convertScaleAbs(np.maximum(image, -0.5), alpha=255, beta=127.5)
    return cv2.cvtColor(image, cv2.COLOR_RGB2BGR)


def _motion_kernel(lens: Lens, size: int) -> np.ndarray:
    """A line of light, the camera's path in pixels."""
    reach = max(int(np.ceil(max(np.abs(lens.motion)) * size / 2)), 1)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    end = np.array(lens.motion) * size / 2
    for share in np.linspace(-1, 1, 8 * reach + 1):
        x, y = np.round(end * share).astype(int) + reach
        kernel[y, x] += 1
    return kernel / kernel.sum()
