"""The frame of every file with a mesh or a skeleton: y up, not y down."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Half a turn about x: its own inverse, and no mirror, so that faces keep
#: their sides.
Y_UP = np.array([1.0, -1.0, -1.0])


def opencv_to_y_up(points: ArrayLike) -> NDArray[np.float64]:
    r"""Turn points of the camera frame to that of mesh files, and back.

    .. math:: (x, y, z) \mapsto (x, -y, -z)

    From OpenCV's axes (+x right, +y down, +z away from the camera) to those
    of glTF (+x right, +y up, +z towards the viewer). Who faced the camera
    faces the viewer. Applied twice it changes nothing: a reader undoes it by
    the same line.

    Args:
        points: (..., 3), any unit.

    Returns:
        (..., 3) float64.

    Example:
        >>> opencv_to_y_up([[1, 2, 3]])
        array([[ 1., -2., -3.]])

    glTF 2.0 specification, 3.4, "Coordinate System and Units".
    """
    return np.asarray(points, np.float64) * Y_UP
