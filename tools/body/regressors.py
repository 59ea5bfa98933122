"""Joint regressors: non-negative weights over vertices that sum to 1.

N: meshes, V: vertices.
"""

import numpy as np
from scipy import sparse
from scipy.optimize import nnls

from mmd2a.body_models.joint_sets import JOINT_SETS, SMPL_PARENTS, joint_names
from mmd2a.body_models.mirror import SMPL_FLIP_PERMUTATION

MAX_CANDIDATES = 900
SPREAD = 0.13
SMALLEST_KEPT = 1e-4
CROWN_RADIUS = 0.03


def fit_regressor(
    meshes: np.ndarray,
    joints: np.ndarray,
    template: np.ndarray,
    rest_joints: np.ndarray,
    weights: np.ndarray,
    mirror: np.ndarray,
) -> np.ndarray:
    """Fit (24, V) so that ``regressor @ mesh`` gives the joints.

    Candidates for a joint are the nearest vertices that it or a neighbour in
    the tree moves. Tikhonov regularisation spreads the weights over a ring
    of skin around the joint. Left and right are made mirror images.

    Args:
        meshes: samples (N, V, 3), m.
        joints: joints wanted in them (N, 24, 3).
        template: symmetric rest mesh (V, 3).
        rest_joints: its joints (24, 3).
        weights: skinning weights (V, 24).
        mirror: mirror vertices (V,).
    """
    regressor = np.zeros((24, len(template)))
    for joint, parent in enumerate(SMPL_PARENTS):
        near = [c for c, p in enumerate(SMPL_PARENTS) if p == joint]
        near += [joint] if parent < 0 else [joint, parent]
        influenced = np.flatnonzero(weights[:, near].sum(1) > 0.05)
        distance = np.linalg.norm(
            template[influenced] - rest_joints[joint], axis=1
        )
        order = np.argsort(distance, kind='stable')[:MAX_CANDIDATES]
        chosen = influenced[order]
        regressor[joint, chosen] = _affine_nnls(
            meshes[:, chosen], joints[:, joint]
        )
    order = list(SMPL_FLIP_PERMUTATION)
    return 0.5 * (regressor + regressor[order][:, mirror])


def _affine_nnls(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Weights w >= 0 (P,), sum 1, with w @ points (N, P, 3) near target."""
    count = points.shape[1]
    matrix = points.transpose(0, 2, 1).reshape(-1, count)
    gram = matrix.T @ matrix + 1e4 + SPREAD**2 * len(points) * np.eye(count)
    moment = matrix.T @ target.ravel() + 1e4
    # Same minimum as the tall system, through the Cholesky factor: faster.
    factor = np.linalg.cholesky(gram)
    weight, _ = nnls(factor.T, np.linalg.solve(factor, moment), maxiter=50000)
    weight[weight < SMALLEST_KEPT] = 0
    return weight / weight.sum()


def h36m14_regressor(
    posed: np.ndarray, template: np.ndarray, mirror: np.ndarray
) -> np.ndarray:
    """Assemble (14, V) from the 24 posed-mesh rows and the crown.

    The neck is SMPL's neck joint; the head top is the mean of the vertices
    around the highest point of the midline.
    """
    smpl = joint_names('smpl24')
    rows = [posed[smpl.index(name)] for name in JOINT_SETS['h36m14'][:-1]]
    middle = np.flatnonzero(mirror == np.arange(len(mirror)))
    top = template[middle[template[middle, 1].argmax()]]
    near = np.linalg.norm(template - top, axis=1) < CROWN_RADIUS
    return np.stack([*rows, near / near.sum()])


def coco17_regressor(
    model, locate: sparse.csr_matrix, mirror: np.ndarray
) -> np.ndarray:
    """Carry Anny's own COCO regressor over to the smaller mesh (17, V).

    ``locate`` (V_anny, V) has the barycentric coordinates of Anny's vertices
    on the smaller mesh.
    """
    from anny.keypoints import KeypointsRegressor

    names = joint_names('coco17')
    keypoints = KeypointsRegressor.coco(model, labels=list(names))
    rows = keypoints.regression_weights.numpy() @ locate
    rows[rows < SMALLEST_KEPT] = 0
    rows /= rows.sum(1, keepdims=True)
    swap = [names.index(_other_side(name)) for name in names]
    return 0.5 * (rows + rows[swap][:, mirror])


def _other_side(name: str) -> str:
    for side, other in (('left_', 'right_'), ('right_', 'left_')):
        if name.startswith(side):
            return other + name[len(side) :]
    return name
