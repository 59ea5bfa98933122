"""What the script of a page is told: frames, people, numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmd2a.apis.people_pictures import PERSON_COLORS
from mmd2a.viewer.encoding import MISSING_LEVEL, level_indices, pack, quantize
from mmd2a.viewer.results import MeshSequence
from mmd2a.visualization import sigma_colors, sigma_limits

__all__ = ['page_content']

# Of a frame of which nothing is known: any will do, nobody is in it.
_SIZE = (480, 640)


def page_content(
    sequence: MeshSequence,
    pictures: Sequence[str | None],
    sizes: Sequence[tuple[int, int] | None],
    fps: float,
) -> dict[str, Any]:
    """Everything that changes from page to page, ready for JSON.

    Args:
        sequence: the people.
        pictures: of each frame, an address; None: without.
        sizes: (height, width) of each, pixels; None: nobody knows.
        fps: frames per second.
    """
    limits = None
    if sequence.sigma is not None:
        limits = sigma_limits([sequence.sigma])
    count = sequence.vertices.shape[1]
    face_type = np.uint16 if count <= 2**16 else np.uint32
    cameras = dict(zip(sequence.frame[::-1].tolist(), sequence.K[::-1]))
    return dict(
        title=sequence.title,
        fps=fps,
        faces=pack(sequence.faces.astype(face_type).reshape(-1)),
        frames=[
            dict(
                name=frame.name,
                picture=picture,
                size=(size or _SIZE)[::-1],
                K=_intrinsics(cameras.get(index, np.eye(3))),
            )
            for index, (frame, picture, size) in enumerate(
                zip(sequence.frames, pictures, sizes)
            )
        ],
        people=[
            _person(sequence, sequence.person == place, number, limits)
            for number, place in enumerate(np.unique(sequence.person))
        ],
        sigma=None if limits is None else _scale(limits),
    )


def _person(
    sequence: MeshSequence,
    of_person: NDArray[np.bool_],
    number: int,
    limits: tuple[float, float] | None,
) -> dict[str, Any]:
    rows = np.flatnonzero(of_person)
    rows = rows[np.argsort(sequence.frame[rows])]
    vertices, step = quantize(sequence.vertices[rows])
    told = dict(
        name=f'person {number + 1}',
        color=PERSON_COLORS[number % len(PERSON_COLORS)],
        frames=sequence.frame[rows].tolist(),
        transl=np.round(sequence.transl[rows].astype(float), 5).tolist(),
        assumed=(sequence.camera_source[rows] == 'assumed').tolist(),
        step=step,
        vertices=pack(vertices),
    )
    if limits is not None and sequence.sigma is not None:
        sigma = sequence.sigma[rows]
        told['mean_sigma_mm'] = [
            round(float(mean), 1) if np.isfinite(mean) else None
            for mean in 1e3 * sigma.mean(1, float)
        ]
        told['sigma'] = pack(level_indices(sigma, limits))
    return told


def _scale(limits: tuple[float, float]) -> dict[str, Any]:
    """Colours of all levels of sigma, and what the ends mean."""
    levels = np.append(np.linspace(*limits, MISSING_LEVEL), np.nan)
    return dict(
        limits_mm=[round(1e3 * limit) for limit in limits],
        colors=np.rint(255 * sigma_colors(levels, limits))
        .astype(int)
        .tolist(),
    )


def _intrinsics(K: NDArray) -> list[float]:
    """fx, skew, cx, fy, cy, pixels."""
    return [round(float(K[i]), 4) for i in ((0, 0), (0, 1), (0, 2))] + [
        round(float(K[i]), 4) for i in ((1, 1), (1, 2))
    ]
