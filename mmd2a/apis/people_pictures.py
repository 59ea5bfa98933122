"""A picture with the meshes of its people on it."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmd2a.apis.person_mesh import PersonMesh
from mmd2a.visualization.overlays import mesh_overlay

__all__ = ['PERSON_COLORS', 'draw_people']

#: Of people, one after the other, RGB in [0, 1]: pale, and apart for all kinds
#: of colour vision; the first is the blue of body-mesh figures.
PERSON_COLORS = (
    (0.66, 0.75, 0.87),
    (0.95, 0.72, 0.52),
    (0.62, 0.82, 0.66),
    (0.87, 0.66, 0.78),
    (0.90, 0.85, 0.55),
)
#: Longer sides are drawn smaller: rendering takes memory by the pixel.
MAX_SIDE = 2048


def draw_people(
    image: NDArray[np.uint8],
    people: Sequence[PersonMesh],
    faces: ArrayLike,
    draw_bbox: bool = False,
) -> NDArray[np.uint8]:
    """Draw meshes over a picture, far ones first.

    F: faces.

    Args:
        image: (H, W, 3) uint8 RGB.
        people: of this picture.
        faces: (F, 3) vertex indices of the body.
        draw_bbox: also draw the boxes.

    Returns:
        (h, w, 3) uint8 RGB, of the size of the picture or, where that is more
        than 2048 pixels along a side, smaller.
    """
    height, width = image.shape[:2]
    scale = min(1.0, MAX_SIDE / max(height, width))
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = np.asarray(
            cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8
        )
    drawn = image.copy()
    to_small = np.array([drawn.shape[1] / width, drawn.shape[0] / height])
    by_depth = sorted(
        range(len(people)), key=lambda i: -float(people[i].transl[2])
    )
    for index in by_depth:
        person = people[index]
        K = person.K.copy()
        # Centres at integers: the edge at -0.5 stays where it is.
        K[:2] *= to_small[:, None]
        K[:2, 2] += (to_small - 1) / 2
        color = _color(index)
        drawn = mesh_overlay(
            drawn, person.vertices + person.transl, faces, K, color
        )
    if draw_bbox:
        for index, person in enumerate(people):
            box = (person.bbox.reshape(2, 2) * to_small).round().astype(int)
            edge = [255 * c for c in _color(index)]
            line = max(1, round(max(drawn.shape[:2]) / 400))
            cv2.rectangle(drawn, box[0].tolist(), box[1].tolist(), edge, line)
    return drawn


def _color(index: int) -> tuple[float, float, float]:
    return PERSON_COLORS[index % len(PERSON_COLORS)]
