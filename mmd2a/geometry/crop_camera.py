"""The camera that sees a crop: one affine, and what it does to everything."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

__all__ = ['CropCamera']


@dataclass(frozen=True)
class CropCamera:
    r"""A rotated, possibly mirrored window of an image, as a second camera.

    With the affine :math:`A` from image to crop pixels and the orthogonal
    motion :math:`D` of the camera frame that goes with it,

    .. math:: A\, K X = (A K D^{-1})\, (D X) \qquad \text{for every point } X

    so that the crop's camera :math:`K' = A K D^{-1}` projects what was turned
    and mirrored by D exactly onto the pixels that were moved by A.

    P: points. Pixels, pixel centres at integers; OpenCV camera frame.

    Args:
        center: (x, y) of the window in the image, pixels.
        scale: image pixels per crop pixel.
        rotation: turn of the picture, radians, positive from +x to +y.
        flip: mirror left and right, after turning.
        size: crop (height, width).

    Example:
        >>> crop = CropCamera((80.0, 60.0), 2.0, 0.0, False, (33, 33))
        >>> crop.to_crop(np.array([[80.0, 60.0]])).tolist()
        [[16.0, 16.0]]
        >>> crop.to_image(np.array([[17.0, 16.0]])).tolist()
        [[82.0, 60.0]]
    """

    center: tuple[float, float]
    scale: float
    rotation: float
    flip: bool
    size: tuple[int, int]

    @cached_property
    def matrix(self) -> np.ndarray:
        """Image pixels to crop pixels, (2, 3), as for ``cv2.warpAffine``."""
        height, width = self.size
        linear = self.camera_motion[:2, :2] / self.scale
        middle = ((width - 1) / 2, (height - 1) / 2)
        return np.column_stack([linear, middle - linear @ self.center])

    @cached_property
    def inverse_matrix(self) -> np.ndarray:
        """Crop pixels to image pixels, (2, 3)."""
        return cv2.invertAffineTransform(self.matrix)

    @cached_property
    def camera_motion(self) -> np.ndarray:
        """The orthogonal map (3, 3) of the camera frame that goes with it.

        A roll about the optical axis, then a mirror of x: what a second
        camera, seeing exactly the crop, would measure.
        """
        cos, sin = np.cos(self.rotation), np.sin(self.rotation)
        sign = -1.0 if self.flip else 1.0
        return np.array(
            [[sign * cos, -sign * sin, 0], [sin, cos, 0], [0, 0, 1]]
        )

    def to_crop(self, pixels: np.ndarray) -> np.ndarray:
        """Image pixels (P, 2) to crop pixels (P, 2)."""
        return pixels @ self.matrix[:, :2].T + self.matrix[:, 2]

    def to_image(self, pixels: np.ndarray) -> np.ndarray:
        """Crop pixels (P, 2) to image pixels (P, 2)."""
        matrix = self.inverse_matrix
        return pixels @ matrix[:, :2].T + matrix[:, 2]

    def intrinsics(self, K: np.ndarray) -> np.ndarray:
        """Camera matrix K' (3, 3) of the crop from that of the image.

        For square pixels it is again upper triangular with a positive focal
        length; the projection is exact in any case.
        """
        affine = np.vstack([self.matrix, [0, 0, 1]])
        return affine @ np.asarray(K, np.float64) @ self.camera_motion.T
