"""Whether 3-D joints lie on 2-D joints, and what would bring them there."""

import numpy as np

from mmd2a.body_models.joint_sets import flip_pairs

#: So far off, as a share of the size of the 2-D joints, they agree: weak
#: perspective itself is off by some percent.
AGREE = 0.15
_LEAST_JOINTS = 6
_AXES = {
    'as given': np.eye(3),
    'y and z point the other way (a camera of OpenGL, or y up)': np.diag(
        [1.0, -1, -1]
    ),
    'x and y point the other way': np.diag([-1.0, -1, 1]),
    'x and z point the other way (seen from behind)': np.diag([-1.0, 1, -1]),
    'x is mirrored': np.diag([-1.0, 1, 1]),
    'y is mirrored': np.diag([1.0, -1, 1]),
    'z is up': np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    'x and y are swapped': np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]]),
}


def is_mirror(reading: str) -> bool:
    """Whether a reading of 3-D joints takes a body to its mirror image."""
    return reading.endswith('mirrored') or reading.startswith('left')


def readings(
    points3d: np.ndarray, points2d: np.ndarray, joint_set: str
) -> dict[str, float]:
    """Say how far off 3-D joints are in several readings of them.

    J: joints of the set. Each reading is fitted by a scale and a shift, as
    weak perspective has them, so that root-relative joints do.

    Args:
        points3d: (J, 3), NaN where unknown.
        points2d: (J, 2) pixels, NaN where unknown.
        joint_set: what they are.

    Returns:
        Root mean square of the remaining distance by reading, as a share of
        that of the 2-D joints from their middle; empty with too few joints.
    """
    swapped = np.arange(len(points3d))
    for left, right in flip_pairs(joint_set):
        swapped[[left, right]] = right, left
    both = np.isfinite(points3d).all(1) & np.isfinite(points2d).all(1)
    if both.sum() < _LEAST_JOINTS:
        return {}
    found = {
        name: weak_residual((points3d @ axes.T)[both, :2], points2d[both])
        for name, axes in _AXES.items()
    }
    twins = points3d[swapped]
    also = np.isfinite(twins).all(1) & both
    if also.sum() >= _LEAST_JOINTS:
        found['left and right are swapped'] = weak_residual(
            twins[also, :2], points2d[also]
        )
    return found


def weak_residual(flat: np.ndarray, pixels: np.ndarray) -> float:
    """What a scale and a shift leave of the distance; see :func:`readings`."""
    flat = flat - flat.mean(0)
    pixels = pixels - pixels.mean(0)
    scale = max((flat * pixels).sum() / max((flat**2).sum(), 1e-12), 0.0)
    left = ((pixels - scale * flat) ** 2).sum()
    return float(np.sqrt(left / max((pixels**2).sum(), 1e-12)))


def turned_residual(points3d: np.ndarray, points2d: np.ndarray) -> float:
    """The same, after the best turn: small for joints of another frame.

    Of all affine maps the best, whose rows have to be as long as each other
    and at right angles, as those of a turned camera are.
    """
    both = np.isfinite(points3d).all(1) & np.isfinite(points2d).all(1)
    if both.sum() < 2 * _LEAST_JOINTS - 2:
        return np.inf
    deep = points3d[both] - points3d[both].mean(0)
    flat = points2d[both] - points2d[both].mean(0)
    solution = np.linalg.lstsq(deep, flat, rcond=None)[0]
    u, _, v = np.linalg.svd(solution, full_matrices=False)
    return weak_residual(deep @ (u @ v), flat)


def pinhole_residual(
    points3d: np.ndarray, points2d: np.ndarray, K: np.ndarray
) -> float:
    """Distance of projected joints, as :func:`readings` measure it.

    NaN where they are not in front of a camera.
    """
    both = np.isfinite(points3d).all(1) & np.isfinite(points2d).all(1)
    if both.sum() < _LEAST_JOINTS or points3d[both, 2].min() < 0.1:
        return np.nan
    image = points3d[both] @ K.T
    off = image[:, :2] / image[:, 2:] - points2d[both]
    spread = points2d[both] - points2d[both].mean(0)
    return float(np.sqrt((off**2).sum() / max((spread**2).sum(), 1e-12)))
