"""The first stop of every pipeline: files to arrays."""

import numpy as np
from mmcv.transforms import BaseTransform

from mmd2a.datasets.coco_masks import decode_mask
from mmd2a.datasets.errors import BadSampleError
from mmd2a.datasets.transforms.frame_files import (
    read_depth,
    read_image,
    read_mask,
)
from mmd2a.datasets.transforms.label_checks import check_box
from mmd2a.depth import OrientationWatch, check_depth_kind
from mmd2a.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadFrame(BaseTransform):
    """Load the image of a sample, its depth map and its mask.

    H, W: image size in pixels.

    Reads ``img_path``, ``depth_path`` (16-bit PNG in millimetres or ``.npy``)
    and ``mask_path``, or ``mask_rle``, run lengths as COCO has them. Sets
    ``img`` (H, W, 3) uint8 BGR, ``ori_shape`` (H, W),
    ``depth`` (H, W) float32, larger = farther and NaN where missing (all of
    it where the sample has no depth file), ``depth_kind``, and ``mask`` (H, W)
    uint8 where it has one (255 visible person, 128 occluded part, 0
    background). A sample without ``K`` gets the camera that CLIFF assumes:
    focal length = image diagonal, principal point in the centre.

    Missing depth is NaN, or 0 in a PNG and in metric depth; never a sign. If
    in most of the first samples the person stands behind what is beside them,
    the kind is probably declared wrongly, and a warning says so once (in each
    worker process).

    Args:
        with_depth: load depth. False for RGB-only pipelines, whose samples
            then have no ``depth`` at all.
        with_mask: load the mask.
        depth_kind: what the depth files hold: ``'metric'`` (metres),
            ``'depth'`` (up to an unknown scale and shift) or ``'disparity'``
            (inverse depth up to an unknown scale and shift, larger = nearer;
            loaded as its negative). The latter two need
            ``depth_normalization=dict(mode='affine')`` in the data
            preprocessor; see :func:`~mmd2a.depth.depth_of_kind`.

    Raises:
        BadSampleError: a file is missing, truncated or not decodable, or
            does not have the size of the image, or metric depth has
            negative values.

    Li et al., "CLIFF", ECCV 2022 (the assumed camera).
    """

    def __init__(
        self,
        with_depth: bool = True,
        with_mask: bool = True,
        depth_kind: str = 'metric',
    ) -> None:
        self.with_depth = with_depth
        self.with_mask = with_mask
        self.depth_kind = check_depth_kind(depth_kind)
        self._watch = OrientationWatch(depth_kind)

    def transform(self, results: dict) -> dict:
        """Add the arrays to ``results``."""
        image_path = results['img_path']
        image = read_image(image_path)
        results['img'] = image
        results['ori_shape'] = shape = image.shape[:2]
        if results.get('K') is None:
            focal = float(np.hypot(*shape))
            results['K'] = np.array(
                [
                    [focal, 0, (shape[1] - 1) / 2],
                    [0, focal, (shape[0] - 1) / 2],
                    [0, 0, 1],
                ]
            )
        if self.with_depth:
            results['depth_kind'] = self.depth_kind
            path = results.get('depth_path')
            if path is None:
                results['depth'] = np.full(shape, np.nan, np.float32)
            else:
                results['depth'] = self._of_size(
                    read_depth(path, self.depth_kind), shape, 'depth', path
                )
                if results.get('bbox') is not None:
                    box = check_box(results['bbox'], shape, image_path)
                    self._watch.see(results['depth'], box)
        if self.with_mask:
            self._load_mask(results, shape)
        return results

    def _load_mask(self, results: dict, shape: tuple[int, int]) -> None:
        path, rle = results.get('mask_path'), results.get('mask_rle')
        if path is not None:
            results['mask'] = self._of_size(
                read_mask(path), shape, 'mask', path
            )
        elif rle is not None:
            results['mask'] = self._of_size(
                decode_mask(rle), shape, 'mask', results['img_path']
            )

    @staticmethod
    def _of_size(
        array: np.ndarray, shape: tuple[int, int], kind: str, path: str
    ) -> np.ndarray:
        if array.shape != shape:
            raise BadSampleError(
                f'{kind} is {array.shape[1]}x{array.shape[0]} (WxH), but its '
                f'image is {shape[1]}x{shape[0]}',
                path,
                f'make the {kind} in the resolution of the image',
            )
        return array

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(with_depth={self.with_depth}, '
            f'with_mask={self.with_mask}, depth_kind={self.depth_kind!r})'
        )
