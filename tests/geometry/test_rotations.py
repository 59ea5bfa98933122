import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mmd2a.geometry import (
    axis_angle_to_matrix,
    matrix_to_axis_angle,
    matrix_to_rotation_6d,
    rotation_6d_to_matrix,
    view_rotation,
)

AXES = torch.nn.functional.normalize(
    torch.tensor(
        [
            [1.0, 0, 0],
            [0, 1, 0],
            [0, 0, 1],
            [1, 1, 0],
            [1, -2, 3],
            [-1, -1, -1],
        ],
        dtype=torch.float64,
    ),
    dim=-1,
)


def assert_rotation(matrix, atol=1e-12):
    eye = torch.eye(3, dtype=matrix.dtype).expand_as(matrix)
    torch.testing.assert_close(
        matrix @ matrix.transpose(-1, -2), eye, atol=atol, rtol=0
    )
    torch.testing.assert_close(
        torch.det(matrix), eye[..., 0, 0], atol=atol, rtol=0
    )


@pytest.mark.parametrize('angle', [0.0, 1e-9, 1e-4, 0.5, 2.0, math.pi - 1e-6])
def test_axis_angle_round_trip(angle):
    vectors = angle * AXES
    torch.testing.assert_close(
        matrix_to_axis_angle(axis_angle_to_matrix(vectors)),
        vectors,
        atol=1e-9,
        rtol=0,
    )


def test_half_turns_come_back_as_the_same_rotation():
    matrices = axis_angle_to_matrix(math.pi * AXES)
    vectors = matrix_to_axis_angle(matrices)
    torch.testing.assert_close(
        vectors.norm(dim=-1), torch.full((6,), math.pi).double()
    )
    torch.testing.assert_close(
        axis_angle_to_matrix(vectors), matrices, atol=1e-9, rtol=0
    )


def test_axis_angle_matches_scipy():
    vectors = torch.randn(50, 3, dtype=torch.float64) * 2
    matrices = Rotation.from_rotvec(vectors.numpy()).as_matrix()
    np.testing.assert_allclose(
        axis_angle_to_matrix(vectors).numpy(), matrices, atol=1e-12
    )
    np.testing.assert_allclose(
        matrix_to_axis_angle(torch.from_numpy(matrices)).numpy(),
        Rotation.from_matrix(matrices).as_rotvec(),
        atol=1e-9,
    )


def test_6d_round_trip_and_any_batch_prefix():
    matrices = axis_angle_to_matrix(
        torch.randn(2, 1, 24, 3, dtype=torch.float64)
    )
    rotation_6d = matrix_to_rotation_6d(matrices)
    assert rotation_6d.shape == (2, 1, 24, 6)
    torch.testing.assert_close(
        rotation_6d_to_matrix(rotation_6d), matrices, atol=1e-12, rtol=0
    )
    torch.testing.assert_close(
        rotation_6d_to_matrix(rotation_6d[0, 0, 5]), matrices[0, 0, 5]
    )


def test_6d_is_the_first_two_columns_read_row_by_row_as_in_hmr():
    def hmr(x):
        """SPIN's rot6d_to_rotmat, from its published description."""
        a1, a2 = x.reshape(3, 2).T
        b1 = a1 / np.linalg.norm(a1)
        b2 = a2 - b1 @ a2 * b1
        b2 /= np.linalg.norm(b2)
        return np.stack([b1, b2, np.cross(b1, b2)], axis=1)

    for x in torch.randn(5, 6, dtype=torch.float64):
        np.testing.assert_allclose(
            rotation_6d_to_matrix(x).numpy(), hmr(x.numpy()), atol=1e-12
        )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=6, max_size=6))
def test_6d_never_gives_nan_and_gives_a_rotation_where_there_is_one(values):
    x = torch.tensor(values, dtype=torch.float64)
    matrix = rotation_6d_to_matrix(x)
    assert matrix.isfinite().all()
    columns = x.view(3, 2)
    area = torch.linalg.cross(columns[:, 0], columns[:, 1]).norm()
    if area > 1e-3:
        assert_rotation(matrix, atol=1e-8)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_gradients_are_finite_at_the_identity(dtype):
    vector = torch.zeros(2, 3, dtype=dtype, requires_grad=True)
    matrix = axis_angle_to_matrix(vector)
    (matrix * torch.randn(3, 3, dtype=dtype)).sum().backward()
    assert vector.grad.isfinite().all() and vector.grad.abs().sum() > 0

    identity = torch.eye(3, dtype=dtype).requires_grad_()
    matrix_to_axis_angle(identity).sum().backward()
    assert identity.grad.isfinite().all()

    rotation_6d = matrix_to_rotation_6d(
        torch.eye(3, dtype=dtype)
    ).requires_grad_()
    rotation_6d_to_matrix(rotation_6d).sum().backward()
    assert rotation_6d.grad.isfinite().all()


def test_gradient_of_axis_angle_is_right_near_and_far_from_zero():
    for scale in (1e-4, 1.0):
        vector = (scale * AXES).requires_grad_()
        assert torch.autograd.gradcheck(axis_angle_to_matrix, (vector,))


def test_a_view_from_the_left_shows_who_faces_right_from_behind():
    """Facing +x, at 90 degrees facing +z: away."""
    facing = torch.tensor([1.0, 0, 0], dtype=torch.float64)
    yaw = torch.tensor([math.pi / 2, 0.0, 2 * math.pi], dtype=torch.float64)
    seen = view_rotation(yaw) @ facing
    expected = torch.tensor([[0.0, 0, 1], [1, 0, 0], [1, 0, 0]]).double()
    torch.testing.assert_close(seen, expected, atol=1e-12, rtol=0)


def test_views_are_turns_about_the_vertical_that_add_up():
    yaw = torch.tensor([0.3, -2.0, 5.0], dtype=torch.float64)
    axis = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(
        view_rotation(yaw), axis_angle_to_matrix(-yaw[:, None] * axis)
    )
    torch.testing.assert_close(
        view_rotation(yaw) @ view_rotation(yaw.flip(0)),
        view_rotation(yaw + yaw.flip(0)),
    )
