"""The one warp of the pipeline: a person's crop and all that moves with it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from mmcv.transforms import BaseTransform

from mmd2a.datasets.transforms.box_changes import jitter_box, upper_body_box
from mmd2a.datasets.transforms.crop_geometry import (
    crop_labels,
    fit_crop,
    warp_image,
    warp_map,
)
from mmd2a.datasets.transforms.label_checks import (
    check_box,
    check_camera,
    clean_labels,
)
from mmd2a.datasets.transforms.masks import as_mask
from mmd2a.datasets.transforms.randomness import draw_generator
from mmd2a.datasets.transforms.rest_pelvis import RestPelvis
from mmd2a.geometry.crop_camera import CropCamera
from mmd2a.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PersonCrop(BaseTransform):
    """Cut a person out of the image by one affine, and move all labels along.

    h, w: crop size in pixels, J: joints of the sample's joint set.

    The window is the box, padded and grown to the aspect of the crop; in
    training it is shifted, scaled, turned and mirrored at random. The same
    affine gives the image (bilinear, averaged first when it shrinks), depth
    and mask (nearest; NaN and 0 outside the image), ``keypoints2d`` and
    ``K``. A turn of the picture is a roll of the camera and a mirrored
    picture a mirrored world, so ``keypoints3d`` and the body parameters turn
    and mirror too: the crop's ``K`` projects the crop's ``keypoints3d`` onto
    the crop's ``keypoints2d``, exactly.

    Sets ``img_shape`` (h, w), ``crop_matrix`` (2, 3) image -> crop pixels,
    ``rotation`` (radians, positive from +x to +y) and ``flip``.

    Args:
        size: crop (height, width), or one number for a square.
        padding: size of the window over the size of the box.
        scale_jitter: window size varies by a factor within 1 +- this.
        shift_jitter: window centre varies by +- this part of its size.
        rotation: the picture turns by up to +- this many degrees.
        turn_prob: probability that it turns by any angle instead, so that
            people upside down and lying have been seen.
        flip_prob: probability of mirroring.
        box_jitter: standard deviation of each edge of the box, as a share of
            its width or height: edges of a detector's boxes err one by one.
        truncation_prob: probability that the legs are cut off, wholly or in
            part: the window is that of the upper body. Needs
            ``keypoints2d`` and a joint set; a sample without stays whole.
        body_model: config of the body whose parameters the labels hold, used
            for the pelvis that ``transl`` starts from. None: the body that
            comes with the package.
        joint_set: joint set of samples that name none.

    Raises:
        BadSampleError: unusable box, camera or mask, or a label with positive
            weight that is not finite or cannot be meant.
        ValueError: a label of another layout, or keypoints to mirror whose
            joint set is not known.

    Example:
        >>> crop = PersonCrop(size=96, padding=1.2)
        >>> out = crop(dict(img=np.zeros((160, 160, 3), np.uint8),
        ...                 bbox=np.array([30, 20, 90, 150.])))
        >>> out['img'].shape
        (96, 96, 3)
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: float = 1.25,
        scale_jitter: float = 0.0,
        shift_jitter: float = 0.0,
        rotation: float = 0.0,
        flip_prob: float = 0.0,
        body_model: dict | None = None,
        joint_set: str | None = None,
        box_jitter: float = 0.0,
        truncation_prob: float = 0.0,
        turn_prob: float = 0.0,
    ) -> None:
        self.size = (
            (size, size)
            if isinstance(size, int)
            else (int(size[0]), int(size[1]))
        )
        if not 0 <= scale_jitter < 1:
            raise ValueError(
                f'scale_jitter must be in [0, 1), got {scale_jitter}'
            )
        if not 0 <= box_jitter <= 0.2:
            raise ValueError(
                f'box_jitter must be in [0, 0.2], got {box_jitter}'
            )
        for name, value in (
            ('truncation_prob', truncation_prob),
            ('turn_prob', turn_prob),
        ):
            if not 0 <= value <= 1:
                raise ValueError(f'{name} must be in [0, 1], got {value}')
        self.box_jitter = box_jitter
        self.truncation_prob = truncation_prob
        self.turn_prob = turn_prob
        self.padding = padding
        self.scale_jitter = scale_jitter
        self.shift_jitter = shift_jitter
        self.rotation = rotation
        self.flip_prob = flip_prob
        self.joint_set = joint_set
        self._rest_pelvis: RestPelvis | None = None
        if rotation or flip_prob or turn_prob:
            self._rest_pelvis = RestPelvis(body_model)

    def transform(self, results: dict) -> dict:
        """Replace arrays and labels by those of the crop."""
        path = results.get('img_path')
        box = check_box(results.get('bbox'), results['img'].shape[:2], path)
        results['bbox'] = box
        if not results.get('joint_set'):
            results['joint_set'] = self.joint_set
        labels = clean_labels(results)
        self._require_joint_set(results['joint_set'], labels)
        if results.get('K') is not None:
            results['K'] = check_camera(results['K'], path)
        if 'mask' in results:
            results['mask'] = as_mask(results['mask'], path)
        crop = self._jitter(box, labels, results)

        results['img'] = warp_image(results['img'], crop)
        if 'depth' in results:
            results['depth'] = warp_map(results['depth'], crop, np.nan)
        if 'mask' in results:
            results['mask'] = warp_map(results['mask'], crop, 0)
        if results.get('K') is not None:
            results['K'] = crop.intrinsics(results['K'])
        results.update(
            crop_labels(
                labels, crop, results['joint_set'], self._pelvis(labels)
            )
        )
        results.update(
            img_shape=self.size,
            crop_matrix=crop.matrix,
            rotation=crop.rotation,
            flip=crop.flip,
        )
        return results

    def _jitter(
        self, box: np.ndarray, labels: dict[str, np.ndarray], results: dict
    ) -> CropCamera:
        """Draw all random numbers of this transform, always equally many."""
        rng = draw_generator(results, type(self).__name__)
        scale, right, down, turn = rng.uniform(-1, 1, 4)
        flip = bool(rng.random() < self.flip_prob)
        truncate, legs = rng.random(2)
        errors = rng.normal(size=4)
        limit = 180.0 if rng.random() < self.turn_prob else self.rotation
        if truncate < self.truncation_prob:
            box = upper_body_box(box, labels, results['joint_set'], legs)
        box = jitter_box(box, errors * self.box_jitter)
        crop = fit_crop(box, self.size, self.padding)
        height, width = crop.size
        step = self.shift_jitter * crop.scale
        return replace(
            crop,
            center=(
                crop.center[0] + right * step * width,
                crop.center[1] + down * step * height,
            ),
            scale=crop.scale * (1 + scale * self.scale_jitter),
            rotation=float(np.deg2rad(turn * limit)),
            flip=flip,
        )

    def _pelvis(self, labels: dict[str, np.ndarray]) -> np.ndarray | None:
        return None if self._rest_pelvis is None else self._rest_pelvis(labels)

    def _require_joint_set(
        self, joint_set: str | None, labels: dict[str, np.ndarray]
    ) -> None:
        named = [
            key for key in ('keypoints2d', 'keypoints3d') if key in labels
        ]
        if self.flip_prob and named and joint_set is None:
            raise ValueError(
                f'PersonCrop(flip_prob={self.flip_prob}) swaps left and right '
                f'of {" and ".join(named)} and has to know their joint_set: '
                'add it to the annotations, or set PersonCrop(joint_set=)'
            )

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(size={self.size}, '
            f'padding={self.padding}, scale_jitter={self.scale_jitter}, '
            f'shift_jitter={self.shift_jitter}, '
            f'rotation={self.rotation}, flip_prob={self.flip_prob}, '
            f'box_jitter={self.box_jitter}, '
            f'truncation_prob={self.truncation_prob}, '
            f'turn_prob={self.turn_prob})'
        )
