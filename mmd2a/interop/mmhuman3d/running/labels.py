"""Labels of this package as a batch of MMHuman3D.

B: batch, J: joints, S: shape components. Metres, radians, OpenCV camera frame.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mmd2a.structures import BodyDataSample

__all__ = ['CROP_SIZE', 'labels_for_mmhuman3d', 'place_in_full_image']

# The side in pixels that MMHuman3D's losses take every crop to have. They use
# it to bring pixels to [-1, 1], so a crop of any size is told in these.
CROP_SIZE = 224


def labels_for_mmhuman3d(gt: dict[str, Tensor]) -> dict[str, Tensor]:
    """Name and shape labels as MMHuman3D's losses take them.

    Args:
        gt: what :func:`~mmd2a.models.objectives.labels.stack_labels` gives.

    Returns:
        ``has_smpl`` (B, 1), ``smpl_global_orient`` (B, 3), ``smpl_body_pose``
        (B, 23, 3), ``smpl_betas`` (B, S), ``keypoints3d`` (B, J, 4) and
        ``keypoints2d`` (B, J, 3) in pixels of a crop of :data:`CROP_SIZE`,
        the last number of both the confidence.
    """
    pixels = (gt['keypoints2d'] + 1) * (CROP_SIZE - 1) / 2
    return dict(
        has_smpl=gt['smpl_weight'][:, None],
        smpl_global_orient=gt['global_orient'],
        smpl_body_pose=gt['body_pose'].unflatten(1, (23, 3)),
        smpl_betas=gt['betas'],
        keypoints3d=_with_weight(gt['keypoints3d'], gt['keypoints3d_weight']),
        keypoints2d=_with_weight(pixels, gt['keypoints2d_weight']),
    )


def _with_weight(points: Tensor, weight: Tensor) -> Tensor:
    return torch.cat([points, weight[..., None]], -1)


def place_in_full_image(
    samples: Sequence[BodyDataSample], K: Tensor, size: int
) -> dict[str, Tensor]:
    r"""Say where in its full image a crop is, as CLIFF is told.

    The full image is the one in which the crop is upright: where a crop was
    turned or mirrored, so was the world (see :class:`PersonCrop`). Its
    principal point is at the middle, which is where CLIFF has it. The focal
    length f is that of the camera where it is known, and else
    :math:`\sqrt{w^2 + h^2}`, MMHuman3D's guess. With b, the side of the crop,
    and its centre (c_x, c_y) relative to the principal point, in pixels of
    the full image, the head is told

    .. math:: \left(2.8\, c_x / f,\; 2.8\, c_y / f,\;
              (b - 0.24 f) / 0.06 f\right)

    Li et al., "CLIFF", ECCV 2022, equation (4), with the numbers of
    MMHuman3D's ``GetBboxInfo``.

    Args:
        samples: B samples with ``crop_matrix`` and ``ori_shape``.
        K: (B, 3, 3) intrinsics of their crops, zeros where unknown.
        size: side of the crop, pixels.

    Returns:
        ``bbox_info`` (B, 3); ``img_h``, ``img_w`` and ``focal_length``
        (B, 1), ``center`` (B, 2) and ``scale`` (B, 1), the side of the crop,
        pixels of the full image; ``crop_trans`` (B, 2, 3) from there to
        pixels of a crop of :data:`CROP_SIZE`.

    Raises:
        ValueError: a sample does not say where it was cut out.
    """
    for sample in samples:
        if 'crop_matrix' not in sample or 'ori_shape' not in sample:
            raise ValueError(
                'CLIFF is told where in the image the crop is, which sample '
                f'{sample.get("sample_idx")} does not know: it has no '
                'crop_matrix and ori_shape, as PersonCrop and PackBodySample '
                'give them'
            )
    matrix = K.new_tensor(np.stack([s.crop_matrix for s in samples]))
    full = K.new_tensor(np.stack([s.ori_shape[:2] for s in samples])).flip(1)
    zoom = torch.linalg.det(matrix[..., :2]).abs().sqrt()[:, None]
    known = K[:, :1, 0] > 0
    diagonal = full.norm(dim=1, keepdim=True)
    focal = torch.where(known, K[:, :1, 0] / zoom, diagonal)
    middle = (matrix[..., :2] @ ((full - 1) / 2)[..., None])[..., 0]
    principal = torch.where(known, K[:, :2, 2], middle + matrix[..., 2])
    offset = ((size - 1) / 2 - principal) / zoom
    side = size / zoom
    bbox_info = torch.cat(
        [2.8 * offset / focal, (side - 0.24 * focal) / (0.06 * focal)], 1
    )
    # Full image -> crop -> [-1, 1] -> pixels of a crop of CROP_SIZE.
    pixels = (CROP_SIZE - 1) / size
    shift = pixels * (principal - zoom * full / 2 + 0.5)
    crop_trans = torch.cat(
        [torch.diag_embed((pixels * zoom).expand(-1, 2)), shift[..., None]], 2
    )
    return dict(
        bbox_info=bbox_info,
        img_w=full[:, :1],
        img_h=full[:, 1:],
        focal_length=focal,
        center=full / 2 + offset,
        scale=side,
        crop_trans=crop_trans,
    )
