"""Made-up people who move."""

from dataclasses import replace

import numpy as np
import pytest

from mmd2a.apis import PersonMesh

K = np.array([[500.0, 0, 160], [0, 500, 120], [0, 0, 1]])


@pytest.fixture
def person():
    """``person(**changes)``: somebody of 40 vertices who stands still."""
    rng = np.random.default_rng(0)
    somebody = PersonMesh(
        vertices=rng.normal(size=(40, 3)).astype(np.float32) * [0.2, 0.6, 0.2],
        keypoints3d=rng.normal(size=(5, 3)).astype(np.float32) * 0.4,
        keypoints2d=np.zeros((5, 2), np.float32),
        joint_names=tuple('abcde'),
        transl=np.array([0.3, -0.2, 3.0], np.float32),
        camera=np.array([1.0, 0, 0], np.float32),
        K=K,
        camera_source='given',
        bbox=np.array([10.0, 10, 60, 200]),
        score=1.0,
        crop_matrix=np.eye(3)[:2],
        crop_size=(256, 256),
        image_size=(240, 320),
        sigma=np.full(40, 0.05, np.float32),
        keypoints3d_sigma=np.full((5, 3), 0.05, np.float32),
    )
    return lambda **changes: replace(somebody, **changes)
