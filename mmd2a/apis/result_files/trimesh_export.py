"""The library that writes OBJ and PLY, asked for when it is needed."""

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray


def make_trimesh(
    vertices: NDArray, faces: NDArray, colors: NDArray | None
) -> tuple[ModuleType, Any]:
    """Make a mesh of trimesh that keeps the order of its vertices.

    Args:
        vertices: (V, 3).
        faces: (F, 3).
        colors: (V, 3) in [0, 1]; None: without.

    Returns:
        The module, and its mesh.

    Raises:
        ImportError: trimesh is not installed, with the command.

    Example:
        >>> _, mesh = make_trimesh(np.eye(3), np.array([[0, 1, 2]]), None)
        >>> mesh.vertices.shape
        (3, 3)
    """
    try:
        import trimesh
    except ImportError as error:
        raise ImportError(
            'OBJ and PLY files are written by trimesh, which is not '
            'installed: pip install trimesh. (write_glb does without.)'
        ) from error
    if colors is not None:
        colors = np.rint(255 * colors).astype(np.uint8)
    # Without `process` no vertex is merged or dropped.
    mesh = trimesh.Trimesh(
        vertices, faces, vertex_colors=colors, process=False
    )
    return trimesh, mesh
