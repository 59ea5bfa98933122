"""What MMHuman3D expects to know of poses before it sees an image.

M: poses, G: Gaussians.
"""

import numpy as np
from scipy.cluster.vq import kmeans2
from scipy.spatial.transform import Rotation

from mmd2a.people.poses import sample_pose

__all__ = ['mean_parameters', 'pose_mixture', 'sample_bodies']

# From a world with y up to a camera with y down, both facing each other.
_WORLD_TO_CAMERA = np.diag([1.0, -1.0, -1.0])
# Least spread of a joint angle in the mixture, radians: some never move.
_LEAST_STD = 0.05


def sample_bodies(num_bodies: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Draw bodies as motion capture would give them, without images.

    Args:
        num_bodies: M.
        seed: the same seed draws the same bodies.

    Returns:
        dict[str, np.ndarray]: ``global_orient`` (M, 3) to a camera that the
        body faces, ``body_pose`` (M, 69), both axis-angle, and ``betas``
        (M, 10).

    Example:
        >>> sample_bodies(2)['body_pose'].shape
        (2, 69)
    """
    rng = np.random.default_rng([seed, 1])
    rotations = np.stack(
        [sample_pose(rng, 'train', seed).rotations for _ in range(num_bodies)]
    )
    rotations[:, 0] = _WORLD_TO_CAMERA @ rotations[:, 0]
    pose = Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_rotvec()
    pose = pose.reshape(num_bodies, 72)
    betas = np.clip(rng.normal(size=(num_bodies, 10)), -2.5, 2.5)
    return dict(global_orient=pose[:, :3], body_pose=pose[:, 3:], betas=betas)


def mean_parameters(bodies: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Where iterative regressors start from: ``smpl_mean_params.npz``.

    The mean pose is the mean rotation of each joint; the mean person stands
    upright, faces the camera and has the mean shape.

    Args:
        bodies: what :func:`sample_bodies` gives.

    Returns:
        dict[str, np.ndarray]: ``pose`` (144,), the first two columns of each
        joint's matrix row by row, ``shape`` (10,) and ``cam`` (3,).

    Example:
        >>> mean_parameters(sample_bodies(4))['pose'][:6]  # upright
        array([ 1.,  0.,  0., -1.,  0.,  0.], dtype=float32)
    """
    poses = bodies['body_pose'].reshape(-1, 23, 3)
    mean = [
        Rotation.from_rotvec(poses[:, j]).mean().as_matrix() for j in range(23)
    ]
    columns = np.stack([_WORLD_TO_CAMERA, *mean])[:, :, :2]
    return dict(
        pose=columns.reshape(-1).astype(np.float32),
        shape=np.zeros(10, np.float32),
        cam=np.array([0.9, 0, 0], np.float32),
    )


def pose_mixture(
    poses: np.ndarray, num_gaussians: int = 8, seed: int = 0
) -> dict[str, np.ndarray]:
    """Fit the mixture of SMPLify's pose prior: ``gmm_08.pkl``.

    Clusters of k-means with their shares and covariances, not the optimum of
    the likelihood: enough for a prior that has no measured motion behind it.

    Args:
        poses: (M, 69) axis-angle.
        num_gaussians: G.
        seed: seed of k-means.

    Returns:
        dict[str, np.ndarray]: ``means`` (G, 69), ``covars`` (G, 69, 69) and
        ``weights`` (G,).

    Example:
        >>> poses = np.random.default_rng(0).normal(size=(60, 69))
        >>> pose_mixture(poses, 2)['covars'].shape
        (2, 69, 69)
    """
    means, labels = kmeans2(
        poses, num_gaussians, minit='++', seed=seed, missing='raise'
    )
    shares = np.bincount(labels, minlength=num_gaussians) / len(poses)
    floor = _LEAST_STD**2 * np.eye(poses.shape[1])
    # Each cluster's own spread is shrunk to the common one, for a cluster
    # may hold fewer poses than the pose has angles.
    common = np.cov((poses - means[labels]).T)
    covars = np.stack(
        [
            0.5 * np.cov(poses[labels == g].T, bias=True)
            + 0.5 * common
            + floor
            for g in range(num_gaussians)
        ]
    )
    return dict(means=means, covars=covars, weights=shares)
