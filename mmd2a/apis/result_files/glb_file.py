"""Meshes as binary glTF: what browsers and phones show."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from mmd2a.apis.result_files.checks import (
    check_colors,
    check_mesh,
    check_suffix,
)
from mmd2a.apis.result_files.gltf import (
    GLTFDocument,
    linear_colors,
    plain_material,
    unit_normals,
)
from mmd2a.files import write_bytes

__all__ = ['GREY', 'write_glb']

#: Of meshes without colours.
GREY = (0.7, 0.7, 0.7)


def write_glb(
    path: str | Path,
    vertices: ArrayLike,
    faces: ArrayLike,
    colors: ArrayLike | None = None,
    base_color: ArrayLike = GREY,
) -> None:
    """Write one mesh, or several with the same faces, as binary glTF.

    N: meshes, V: vertices, F: faces. The file is in metres with +y up and +z
    towards the viewer (:func:`opencv_to_y_up`), float32, in the order of
    ``vertices``; every mesh is a node of its own, ``person_0`` and so on.
    Colours are turned to the linear space that glTF asks for, so that a
    viewer shows those given.

    Args:
        path: ``.glb`` file; its folder is made if needed.
        vertices: (V, 3) metres, OpenCV camera frame; or (N, V, 3), people of
            one scene.
        faces: (F, 3) vertex indices.
        colors: RGB (V, 3) in sRGB, floats in [0, 1] or uint8, such as
            :func:`mmd2a.visualization.sigma_colors` gives; (N, V, 3) where
            vertices are; None: without.
        base_color: sRGB (3,) in [0, 1] of meshes without colours.

    Raises:
        ValueError: another suffix, a wrong shape, numbers that are not
            finite.
        OSError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), 'triangle.glb')
        >>> write_glb(path, [[0., 0, 2], [1, 0, 2], [0, 1, 2]], [[0, 1, 2]])
        >>> path.read_bytes()[:4]
        b'glTF'
    """
    check_suffix(path, '.glb')
    people = np.asarray(vertices)
    shades = None if colors is None else np.asarray(colors)
    if people.ndim != 3:
        people = people[None]
        shades = None if shades is None else shades[None]
    if not len(people) or (shades is not None and len(shades) != len(people)):
        raise ValueError(
            f'vertices are of {len(people)} meshes, colors of '
            f'{"none" if shades is None else len(shades)}: give at least one '
            'mesh, and colors for each or for none'
        )
    document = GLTFDocument()
    content = document.content
    [base] = check_colors(np.asarray(base_color)[None], 1)
    content['materials'] = [
        plain_material(base if shades is None else (1, 1, 1))
    ]
    content['meshes'] = []
    indices = None
    for number, person in enumerate(people):
        points, corners, shade = check_mesh(
            person, faces, None if shades is None else shades[number]
        )
        if indices is None:
            indices = document.add_faces(corners)
        attributes = dict(
            POSITION=points.astype('<f4'), NORMAL=unit_normals(points, corners)
        )
        if shade is not None:
            attributes['COLOR_0'] = linear_colors(shade)
        primitive = dict(
            attributes=document.add_attributes(**attributes),
            indices=indices,
            material=0,
        )
        content['meshes'].append(dict(primitives=[primitive]))
    content['nodes'] = [
        dict(name=f'person_{i}', mesh=i) for i in range(len(people))
    ]
    content['scenes'] = [dict(nodes=list(range(len(people))))]
    content['scene'] = 0
    write_bytes(path, document.to_bytes())
