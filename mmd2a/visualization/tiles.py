"""The pictures that show one prediction."""

import cv2
import numpy as np
import torch
from mmengine.structures import BaseDataElement
from numpy.typing import ArrayLike, NDArray

from mmd2a.structures import BodyDataSample
from mmd2a.visualization.colors import depth_to_color, sigma_colors
from mmd2a.visualization.overlays import crop_overlay, mask_overlay, side_view

INPUT = 'Input'
DEPTH = 'Pseudo-depth'
MESH = 'Mesh'
SIDE = 'Side view'
SILHOUETTE = 'Silhouette'
SIGMA = 'Uncertainty'

TILE_NAMES = (INPUT, DEPTH, MESH, SIDE, SILHOUETTE, SIGMA)


def prediction_tiles(
    data_sample: BodyDataSample,
    image: NDArray[np.uint8],
    depth: ArrayLike | torch.Tensor | None,
    faces: ArrayLike,
    sigma_limits: tuple[float, float] | None = None,
    side: int | None = None,
) -> dict[str, NDArray[np.uint8]]:
    """Draw what the model was given and what it said about one person.

    V: vertices, F: faces, W: side of the crop.

    Args:
        data_sample: a sample with ``pred``: ``vertices`` and ``camera``, and,
            for the last two tiles, ``mask`` and ``sigma``.
        image: (W, W, 3) uint8 RGB, the crop.
        depth: (W, W) or (1, W, W), what the model was given; None without.
        faces: (F, 3) of the body.
        sigma_limits: ends of the colour map of sigma, metres, so that several
            people can share a colour bar. None: this person's own.
        side: of the tiles, pixels; a small crop is enlarged before the mesh
            is drawn on it, so that the mesh stays sharp. None: the crop's.

    Returns:
        Tiles by name, in the order of ``TILE_NAMES``, (side, side, 3) uint8
        RGB. What the sample does not have is left out.
    """
    faces = np.asarray(torch.as_tensor(faces).cpu())
    if 'pred' not in data_sample:
        raise ValueError(
            'the data sample holds no predictions (no `pred`); draw what '
            '`model.test_step` returns'
        )
    pred = data_sample.pred
    vertices, camera = _array(pred, 'vertices'), _array(pred, 'camera')
    if len(faces) and faces.max() >= len(vertices):
        raise ValueError(
            f'the faces are of a body with {faces.max() + 1} vertices, but '
            f'the prediction has {len(vertices)}: give the visualizer the '
            "model's `body_model`"
        )
    image = _resize(image, side or len(image))
    size = (image.shape[0], image.shape[1])
    tiles = {INPUT: image}
    if depth is not None:
        depth = torch.as_tensor(depth).detach().cpu().float().numpy()
        depth = depth.reshape(depth.shape[-2:])
        if np.isfinite(depth).any():
            tiles[DEPTH] = _resize(depth_to_color(depth), len(image))
    tiles[MESH] = crop_overlay(image, vertices, faces, camera)
    tiles[SIDE] = side_view(vertices, faces, size)
    if 'mask' in pred:
        tiles[SILHOUETTE] = mask_overlay(image, _array(pred, 'mask')[0])
    if 'sigma' in pred:
        colors = sigma_colors(_array(pred, 'sigma'), sigma_limits)
        tiles[SIGMA] = side_view(
            vertices, faces, size, angle=0, vertex_colors=colors
        )
    return tiles


def _resize(image: NDArray[np.uint8], side: int) -> np.ndarray:
    """Scale a square picture; always a copy."""
    if len(image) == side:
        return image.copy()
    method = cv2.INTER_AREA if len(image) > side else cv2.INTER_CUBIC
    return cv2.resize(image, (side, side), interpolation=method)


def _array(fields: BaseDataElement, name: str) -> NDArray[np.float32]:
    """A field as an array; an error that names it if it is not there."""
    if name not in fields:
        raise ValueError(
            f'the prediction has no `{name}`, only {sorted(fields.keys())}'
        )
    return fields.get(name).detach().cpu().float().numpy()
