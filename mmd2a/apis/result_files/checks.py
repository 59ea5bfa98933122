"""What writers refuse, before a byte is written."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmd2a.apis.result_files.frame import opencv_to_y_up


def check_suffix(path: str | Path, suffix: str) -> None:
    """Refuse a name that a reader would take for another format.

    Raises:
        ValueError: naming the suffix to write.

    Example:
        >>> check_suffix('person.stl', '.obj')
        Traceback (most recent call last):
        ...
        ValueError: person.stl does not end in .obj, by which readers know \
the format: name it person.obj
    """
    if Path(path).suffix.lower() != suffix:
        raise ValueError(
            f'{path} does not end in {suffix}, by which readers know the '
            f'format: name it {Path(path).with_suffix(suffix)}'
        )


def check_finite(name: str, values: NDArray) -> None:
    """Refuse NaN and infinity: many readers hang or crash on them.

    Raises:
        ValueError: naming the first row that holds one.
    """
    bad = ~np.isfinite(values)
    if bad.any():
        first = tuple(map(int, np.argwhere(bad)[0][:-1]))
        where = first[0] if len(first) == 1 else first
        raise ValueError(
            f'{name} hold {int(bad.sum())} numbers that are not finite, the '
            f'first in row {where}: leave this person out, or look for what '
            'made them'
        )


def check_mesh(
    vertices: ArrayLike, faces: ArrayLike, colors: ArrayLike | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray | None]:
    """Check a mesh, and turn it to the frame of files.

    V: vertices, F: faces.

    Args:
        vertices: (V, 3) metres, OpenCV camera frame.
        faces: (F, 3) vertex indices.
        colors: see :func:`check_colors`.

    Returns:
        Vertices with y up, faces, and colours (V, 3) in [0, 1] or None.

    Raises:
        ValueError: a wrong shape, numbers that are not finite, faces of
            vertices that are not there, colours of another range.

    Example:
        >>> check_mesh([[0, 1, 2]] * 3, [[0, 1, 2]])[0][0]
        array([ 0., -1., -2.])
    """
    vertices = np.asarray(vertices, np.float64)
    if vertices.ndim != 2 or vertices.shape[1] != 3 or not len(vertices):
        raise ValueError(
            f'vertices have shape {vertices.shape}, expected (V, 3): give '
            'one person, such as vertices[0]'
        )
    check_finite('vertices', vertices)
    faces = np.asarray(faces)
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.kind not in 'iu':
        raise ValueError(
            f'faces have shape {faces.shape} and type {faces.dtype}, expected '
            'whole numbers (F, 3), such as body.faces'
        )
    if not len(faces):
        raise ValueError(
            'there are no faces, and without them no mesh: give body.faces'
        )
    if not 0 <= faces.min() <= faces.max() < len(vertices):
        raise ValueError(
            f'faces name vertices {faces.min()} to {faces.max()}, but there '
            f'are {len(vertices)}: give the faces of the same body'
        )
    if colors is not None:
        colors = check_colors(colors, len(vertices))
    return opencv_to_y_up(vertices), faces.astype(np.int64), colors


def check_colors(colors: ArrayLike, num_vertices: int) -> NDArray[np.float64]:
    """Check colours of vertices and bring them to floats.

    Args:
        colors: RGB (V, 3) in sRGB, as a picture has it: uint8, or floats in
            [0, 1], such as :func:`mmd2a.visualization.sigma_colors` gives.
        num_vertices: V.

    Returns:
        (V, 3) floats in [0, 1].

    Raises:
        ValueError: another shape, or numbers outside that range.

    Example:
        >>> check_colors(np.full((2, 3), 255, np.uint8), 2)[0]
        array([1., 1., 1.])
    """
    given = np.asarray(colors)
    if given.shape != (num_vertices, 3):
        raise ValueError(
            f'colors have shape {given.shape}, expected ({num_vertices}, 3): '
            'one RGB per vertex'
        )
    values = given.astype(np.float64)
    if given.dtype == np.uint8:
        return values / 255
    check_finite('colors', values)
    if values.min() < 0 or values.max() > 1:
        raise ValueError(
            f'colors go from {values.min():g} to {values.max():g}, expected '
            '0 to 1: divide them by 255, or give uint8'
        )
    return values
