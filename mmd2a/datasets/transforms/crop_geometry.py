"""What the crop of a person does to pixels and labels."""

import cv2
import numpy as np
import torch
from scipy.spatial.transform import Rotation

from mmd2a.body_models.joint_sets import flip_pairs
from mmd2a.body_models.mirror import mirror_pose
from mmd2a.geometry.crop_camera import CropCamera


def fit_crop(
    box: np.ndarray, size: tuple[int, int], padding: float
) -> CropCamera:
    """Return the upright window that holds a box and has the crop's aspect.

    Args:
        box: (4,) xyxy, pixels.
        size: crop (height, width).
        padding: size of the window over the size of the box.
    """
    height, width = size
    scale = padding * max(
        (box[2] - box[0]) / width, (box[3] - box[1]) / height
    )
    center = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    return CropCamera(center, scale, 0.0, False, size)


def warp_image(image: np.ndarray, crop: CropCamera) -> np.ndarray:
    """Cut the crop out of an image without aliasing, (h, w, 3) uint8.

    Bilinear sampling skips pixels when it shrinks more than twice: the part
    needed is first averaged over whole blocks of pixels.
    """
    matrix = crop.matrix
    block = int(crop.scale)
    if block >= 2:
        height, width = crop.size
        corners = np.array(
            [
                [-0.5, -0.5, 1],
                [width - 0.5, -0.5, 1],
                [-0.5, height - 0.5, 1],
                [width - 0.5, height - 0.5, 1],
            ]
        )
        corners = corners @ crop.inverse_matrix.T
        limit = np.array(image.shape[1::-1])
        low = np.clip(np.floor(corners.min(0)).astype(int) - block, 0, limit)
        high = np.clip(np.ceil(corners.max(0)).astype(int) + block, 0, limit)
        blocks = (high - low) // block
        if blocks.min() > 0:
            high = low + blocks * block
            image = cv2.resize(
                image[low[1] : high[1], low[0] : high[0]],
                blocks.tolist(),
                interpolation=cv2.INTER_AREA,
            )
            # Pixel i of the small image is the mean around this pixel.
            first = low + (block - 1) / 2
            matrix = np.column_stack(
                [matrix[:, :2] * block, matrix[:, :2] @ first + matrix[:, 2]]
            )
    return cv2.warpAffine(
        image, matrix, crop.size[::-1], flags=cv2.INTER_LINEAR
    )


def warp_map(
    values: np.ndarray, crop: CropCamera, border: float
) -> np.ndarray:
    """Cut the crop out of a depth map or mask: nearest pixel, no mixing."""
    return cv2.warpAffine(
        values,
        crop.matrix,
        crop.size[::-1],
        flags=cv2.INTER_NEAREST,
        borderValue=border,
    )


def crop_labels(
    labels: dict[str, np.ndarray],
    crop: CropCamera,
    joint_set: str | None,
    rest_pelvis: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Carry labels into the crop and its camera frame.

    J: joints of the joint set.

    Args:
        labels: any of ``keypoints2d`` (J, 2) pixels, ``keypoints3d`` (J, 3)
            metres, ``global_orient`` (3,), ``body_pose`` (69,) or (63,),
            ``transl`` (3,) and the weights, finite.
        crop: where to.
        joint_set: whose left and right joints a mirror swaps.
        rest_pelvis: pelvis (3,) of the body's rest pose in this shape, metres:
            the point that ``global_orient`` turns about. Needed to turn or
            mirror ``transl``.

    Returns:
        The labels with the same keys.
    """
    out = dict(labels)
    motion = crop.camera_motion
    if 'keypoints2d' in labels:
        out['keypoints2d'] = crop.to_crop(labels['keypoints2d'])
        if 'keypoints2d_visibility' in labels:
            end = np.array([crop.size[1], crop.size[0]]) - 0.5
            inside = (
                (out['keypoints2d'] >= -0.5) & (out['keypoints2d'] <= end)
            ).all(1)
            out['keypoints2d_visibility'] = np.where(
                inside, labels['keypoints2d_visibility'], 0
            )
    if 'keypoints3d' in labels:
        out['keypoints3d'] = labels['keypoints3d'] @ motion.T
    if 'transl' in labels and (crop.flip or crop.rotation):
        # The pelvis, rest_pelvis + transl, is a point like any other.
        out['transl'] = motion @ (rest_pelvis + labels['transl']) - rest_pelvis
    if 'global_orient' in labels and crop.rotation:
        roll = Rotation.from_rotvec([0, 0, crop.rotation])
        out['global_orient'] = (
            roll * Rotation.from_rotvec(labels['global_orient'])
        ).as_rotvec()
    if crop.flip:
        _mirror(out, joint_set)
    return out


def _mirror(labels: dict[str, np.ndarray], joint_set: str | None) -> None:
    """Swap left and right in labels whose coordinates are mirrored."""
    for key in (
        'keypoints2d',
        'keypoints2d_weight',
        'keypoints2d_visibility',
        'keypoints3d',
        'keypoints3d_weight',
    ):
        if key not in labels:
            continue
        order = np.arange(len(labels[key]))
        left, right = np.array(flip_pairs(str(joint_set))).T
        order[left], order[right] = right, left
        labels[key] = labels[key][order]
    pose = np.concatenate(
        [
            labels.get('global_orient', np.zeros(3)),
            labels.get('body_pose', np.zeros(69)),
        ]
    )
    pose = mirror_pose(torch.from_numpy(pose.reshape(-1, 3))).numpy()
    if 'global_orient' in labels:
        labels['global_orient'] = pose[0]
    if 'body_pose' in labels:
        labels['body_pose'] = pose[1:].ravel()
