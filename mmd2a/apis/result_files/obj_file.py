"""A mesh as Wavefront OBJ: text that every program reads."""

from pathlib import Path

from numpy.typing import ArrayLike

from mmd2a.apis.result_files.checks import check_mesh, check_suffix
from mmd2a.apis.result_files.trimesh_export import make_trimesh
from mmd2a.files import write_text

__all__ = ['write_obj']


def write_obj(
    path: str | Path,
    vertices: ArrayLike,
    faces: ArrayLike,
    colors: ArrayLike | None = None,
) -> None:
    """Write a mesh as OBJ, whole or not at all.

    V: vertices, F: faces. The file is in metres with +y up and +z towards the
    viewer (:func:`opencv_to_y_up`), in the order of ``vertices``. Colours
    stand behind the coordinates of a vertex, an addition to the format that
    Blender, MeshLab and trimesh read and others skip.

    Args:
        path: ``.obj`` file; its folder is made if needed.
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
        >>> path = Path(tempfile.mkdtemp(), 'triangle.obj')
        >>> write_obj(path, [[0., 0, 2], [1, 0, 2], [0, 1, 2]], [[0, 1, 2]])
        >>> path.read_text().splitlines()[-1]
        'f 1 2 3'
    """
    check_suffix(path, '.obj')
    trimesh, mesh = make_trimesh(*check_mesh(vertices, faces, colors))
    text = trimesh.exchange.obj.export_obj(mesh, header=None)
    write_text(path, text.rstrip() + '\n')
