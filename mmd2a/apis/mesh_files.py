"""A scene of meshes as one file that viewers open."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from mmd2a.files import write_bytes

__all__ = ['write_scene']


def write_scene(
    path: str | Path, meshes: Sequence[ArrayLike], faces: ArrayLike
) -> None:
    """Write meshes as binary glTF, complete or not at all.

    V: vertices, F: faces. glTF has y upwards and looks along -z: the camera
    frame is turned by half a turn about x. Metres.

    Args:
        path: ``.glb``.
        meshes: (V, 3) each, OpenCV camera frame, m.
        faces: (F, 3) vertex indices of all.

    Raises:
        ModuleNotFoundError: trimesh is not installed.
        OSError: the file cannot be written; says where and why.
    """
    import trimesh

    half_turn = np.array([1, -1, -1], np.float32)
    scene = trimesh.Scene()
    for number, vertices in enumerate(meshes):
        turned = np.asarray(vertices, np.float32) * half_turn
        scene.add_geometry(
            trimesh.Trimesh(turned, np.asarray(faces), process=False),
            node_name=f'person_{number}',
        )
    write_bytes(path, scene.export(file_type='glb'))
