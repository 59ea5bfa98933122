"""A mesh as PLY: binary, exact, with colours that belong to the format."""

from pathlib import Path

from numpy.typing import ArrayLike

from mmd2a.apis.result_files.checks import check_mesh, check_suffix
from mmd2a.apis.result_files.trimesh_export import make_trimesh
from mmd2a.files import write_bytes

__all__ = ['write_ply']


def write_ply(
    path: str | Path,
    vertices: ArrayLike,
    faces: ArrayLike,
    colors: ArrayLike | None = None,
) -> None:
    """Write a mesh as binary PLY, whole or not at all.

    V: vertices, F: faces. PLY fixes no axes; so that a file lies on its OBJ
    and GLB, it is in metres with +y up and +z towards the viewer
    (:func:`opencv_to_y_up`). float32, in the order of ``vertices``.

    Args:
        path: ``.ply`` file; its folder is made if needed.
        vertices: (V, 3) metres, OpenCV camera frame.
        faces: (F, 3) vertex indices.
        colors: RGB (V, 3) in sRGB, floats in [0, 1] or uint8, such as
            :func:`mmd2a.visualization.sigma_colors` gives; None: without.

    Raises:
        ValueError: another suffix, a wrong shape, numbers that are not
            finite.
        ImportError: trimesh is not installed.
        OSError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), 'triangle.ply')
        >>> write_ply(path, [[0., 0, 2], [1, 0, 2], [0, 1, 2]], [[0, 1, 2]])
        >>> path.read_bytes()[:3]
        b'ply'
    """
    check_suffix(path, '.ply')
    trimesh, mesh = make_trimesh(*check_mesh(vertices, faces, colors))
    write_bytes(path, trimesh.exchange.ply.export_ply(mesh))
