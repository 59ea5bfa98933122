"""Depth and masks for pipelines of MMHuman3D, which know images only.

H, W: image size; h, w: size of the crop. Pixels.
"""

from pathlib import Path

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform

from mmd2a.datasets.errors import BadSampleError
from mmd2a.datasets.transforms.frame_files import read_depth, read_mask
from mmd2a.registry import TRANSFORMS

__all__ = ['LoadDepthForMMHuman3D', 'WarpMaskForMMHuman3D']

# Grey level of a mask file above which the person is visible.
_VISIBLE = 191


@TRANSFORMS.register_module()
class LoadDepthForMMHuman3D(BaseTransform):
    """Load the depth map, and if wanted the mask, that lie beside an image.

    HumanData has no place for them, so their paths follow from that of the
    image: ``a/000001.jpg``, ``a/000001_depth.png``, ``a/000001_mask.png``.

    Comes after ``LoadImageFromFile``; ``mmd2a.StackDepth`` then makes depth
    channels of the image, which ``RandomHorizontalFlip`` and ``MeshAffine``
    move as they move colour, and ``mmd2a.NormalizeRGBD`` stands for
    ``Normalize``.

    Reads ``filename`` and ``img``; sets ``depth`` (H, W) metres, NaN where
    unknown, and ``mask`` (H, W) uint8, listed in ``img_fields`` so that it is
    flipped.

    Args:
        depth_suffix: what stands for the extension of the image; a 16-bit PNG
            in millimetres, or ``.npy``.
        mask_suffix: the same for the mask; None: no mask.
        test_mode: tell transforms that draw random numbers
            (``mmd2a.DegradeDepth``) that this is a test, in which a sample is
            the same in every run.

    Raises:
        BadSampleError: a file is missing, not readable, or not of the size of
            the image.
    """

    def __init__(
        self,
        depth_suffix: str = '_depth.png',
        mask_suffix: str | None = None,
        test_mode: bool = False,
    ) -> None:
        self.depth_suffix = depth_suffix
        self.mask_suffix = mask_suffix
        self.test_mode = test_mode

    def transform(self, results: dict) -> dict:
        """Add the arrays to ``results``."""
        image_path = Path(results['filename'])
        stem = str(image_path.with_suffix(''))
        results['depth'] = read_depth(stem + self.depth_suffix)
        loaded = ['depth']
        if self.mask_suffix is not None:
            results['mask'] = read_mask(stem + self.mask_suffix)
            results['img_fields'] = ['img', 'mask']
            loaded.append('mask')
        for name in loaded:
            if results[name].shape != results['img'].shape[:2]:
                raise BadSampleError(
                    f'{name} is {results[name].shape[::-1]} (W, H), but its '
                    f'image is {results["img"].shape[1::-1]}',
                    str(image_path),
                    f'make the {name} in the resolution of the image',
                )
        results['test_mode'] = self.test_mode
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(depth_suffix={self.depth_suffix!r}, '
            f'mask_suffix={self.mask_suffix!r}, '
            f'test_mode={self.test_mode})'
        )


@TRANSFORMS.register_module()
class WarpMaskForMMHuman3D(BaseTransform):
    """Warp the mask as ``MeshAffine`` has warped the image before.

    Reads ``mask`` (H, W) uint8 and ``crop_transform`` (2, 3); sets ``mask``
    (1, h, w), a tensor of 1 where the person is seen and 0 elsewhere.

    Example:
        >>> mask = np.full((4, 4), 255, np.uint8)
        >>> results = dict(img=np.zeros((4, 4, 5)), mask=mask,
        ...                crop_transform=np.eye(3)[:2])
        >>> WarpMaskForMMHuman3D()(results)['mask'].mean()
        tensor(1.)
    """

    def transform(self, results: dict) -> dict:
        """Replace ``mask``."""
        height, width = results['img'].shape[:2]
        mask = cv2.warpAffine(
            results['mask'],
            results['crop_transform'],
            (width, height),
            flags=cv2.INTER_NEAREST,
        )
        results['mask'] = torch.from_numpy(
            (mask > _VISIBLE)[None].astype(np.float32)
        )
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
