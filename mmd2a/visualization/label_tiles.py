"""Pictures of one person's labels: what a model is going to be told."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from mmengine.structures import BaseDataElement
from numpy.typing import ArrayLike, NDArray

from mmd2a.geometry import denormalize_keypoints2d
from mmd2a.structures import BodyDataSample
from mmd2a.visualization.colors import depth_to_color
from mmd2a.visualization.overlays import mask_overlay, mesh_overlay

JOINTS, MESH = 'Box and joints', 'Body'
MASK, DEPTH = 'Mask', 'Depth'
LABEL_TILE_NAMES = (JOINTS, MESH, MASK, DEPTH)

# As mmpose has them: left, right, neither. RGB.
_LEFT, _RIGHT, _MIDDLE = (0, 255, 0), (255, 128, 0), (51, 153, 255)
_BOX = (255, 230, 0)


def label_tiles(
    data_sample: BodyDataSample,
    image: NDArray[np.uint8],
    names: Sequence[str],
    links: Sequence[Sequence[int]],
    depth: ArrayLike | torch.Tensor | None = None,
    vertices: ArrayLike | None = None,
    faces: ArrayLike | None = None,
    side: int | None = None,
) -> dict[str, NDArray[np.uint8]]:
    """Draw the labels of one person in its crop.

    J: joints of the set, H, W: crop, V: vertices, F: faces.

    Args:
        data_sample: a sample with ``gt``, as
            :class:`~mmd2a.datasets.transforms.PackBodySample` gives it.
        image: (H, W, 3) uint8 RGB, the crop.
        names: of the J joints: left ones are drawn green, right ones orange.
        links: index pairs of bones.
        depth: (H, W) or (1, H, W); NaN where unknown.
        vertices: (V, 3) of the labelled body, camera frame, metres.
        faces: (F, 3) of the body.
        side: longer side of the tiles, pixels; None: that of the crop.

    Returns:
        Tiles by name, in the order of :data:`LABEL_TILE_NAMES`. What the
        sample does not know is left out.
    """
    gt = data_sample.gt
    scale = 1.0 if side is None else side / max(image.shape[:2])
    large = _resized(image, scale)
    tiles = {JOINTS: _joints(data_sample, large, scale, names, links)}
    K = gt.K.double().numpy().copy()
    if (
        vertices is not None
        and faces is not None
        and gt.smpl_weight > 0
        and K[0, 0] > 0
    ):
        vertices = np.asarray(vertices, np.float64)
        if vertices[:, 2].min() > 0.1:
            # Centres of pixels are at integers.
            K[:2, 2] = (K[:2, 2] + 0.5) * scale - 0.5
            K[:2, :2] *= scale
            tiles[MESH] = mesh_overlay(large, vertices, faces, K)
    if gt.mask_weight > 0:
        tiles[MASK] = mask_overlay(large, _resized(gt.mask[0].numpy(), scale))
    if depth is not None:
        depth = torch.as_tensor(depth).float().numpy()
        depth = depth.reshape(depth.shape[-2:])
        if np.isfinite(depth).any():
            tiles[DEPTH] = _resized(depth_to_color(depth), scale)
    return tiles


def _resized(image: NDArray, scale: float) -> NDArray:
    if scale == 1:
        return image.copy()
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size = [max(1, round(scale * n)) for n in image.shape[1::-1]]
    return cv2.resize(image, size, interpolation=method)


def _joints(
    sample: BodyDataSample,
    image: NDArray[np.uint8],
    scale: float,
    names: Sequence[str],
    links: Sequence[Sequence[int]],
) -> NDArray[np.uint8]:
    """Box, bones and joints; hidden joints are hollow."""
    canvas = image.copy()
    matrix = sample.get('crop_matrix')
    if matrix is not None and sample.get('bbox') is not None:
        left, top, right, bottom = sample.bbox
        corners = np.array(
            [[left, top, 1], [right, top, 1], [right, bottom, 1]]
            + [[left, bottom, 1]]
        )
        corners = (corners @ np.asarray(matrix).T + 0.5) * scale - 0.5
        outline = np.round(corners).astype(np.int32)
        cv2.polylines(canvas, [outline], True, _BOX, 1, cv2.LINE_AA)
    points, known = _pixels(sample.gt, (image.shape[1], image.shape[0]))
    visibility = sample.get('keypoints2d_visibility')
    width = max(1, round(max(image.shape[:2]) / 160))
    for start, end in links:
        if known[start] and known[end]:
            cv2.line(
                canvas,
                points[start].tolist(),
                points[end].tolist(),
                _color(names[end]),
                width,
                cv2.LINE_AA,
            )
    for i, name in enumerate(names):
        if known[i]:
            hidden = visibility is not None and visibility[i] == 1
            cv2.circle(
                canvas,
                points[i].tolist(),
                2 * width,
                _color(name),
                1 if hidden else -1,
                cv2.LINE_AA,
            )
    return canvas


def _pixels(
    gt: BaseDataElement, size: tuple[int, int]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Joints (J, 2) of a picture of a size (W, H), and which are known."""
    points = denormalize_keypoints2d(gt.keypoints2d, size).numpy()
    known = (gt.keypoints2d_weight > 0).numpy()
    # OpenCV counts in 32 bits.
    return np.round(np.clip(points, -1e4, 1e4)).astype(np.int32), known


def _color(name: str) -> tuple[int, int, int]:
    if name.startswith('left_'):
        return _LEFT
    return _RIGHT if name.startswith('right_') else _MIDDLE
