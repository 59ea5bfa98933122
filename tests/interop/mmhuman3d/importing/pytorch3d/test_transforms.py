"""Rotations and transforms as PyTorch3D defines them, against SciPy."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from mmd2a.geometry import rotations as columns
from mmd2a.interop.mmhuman3d.importing.pytorch3d import transforms
from mmd2a.interop.mmhuman3d.importing.pytorch3d.transforms import (
    Rotate,
    Transform3d,
    Translate,
)

TAIT_BRYAN = ['XYZ', 'XZY', 'YXZ', 'YZX', 'ZXY', 'ZYX']
PROPER = ['XYX', 'XZX', 'YXY', 'YZY', 'ZXZ', 'ZYZ']
IDENTITY = {
    'axis_angle_to_matrix': torch.zeros(3),
    'axis_angle_to_quaternion': torch.zeros(3),
    'euler_angles_to_matrix': torch.zeros(3),
    'matrix_to_euler_angles': torch.eye(3),
    'matrix_to_quaternion': torch.eye(3),
    'matrix_to_rotation_6d': torch.eye(3),
    'quaternion_to_axis_angle': torch.tensor([1.0, 0.0, 0.0, 0.0]),
    'quaternion_to_matrix': torch.tensor([1.0, 0.0, 0.0, 0.0]),
    'rotation_6d_to_matrix': torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
}
NEEDS_CONVENTION = {'euler_angles_to_matrix', 'matrix_to_euler_angles'}


@pytest.fixture
def scipy_rotations():
    return Rotation.from_quat(np.random.default_rng(0).normal(size=(200, 4)))


def matrices(rotations):
    return torch.tensor(rotations.as_matrix())


def call(name, rotation):
    arguments = ('XYZ',) if name in NEEDS_CONVENTION else ()
    return getattr(transforms, name)(rotation, *arguments)


def assert_close(found, expected, atol=1e-12):
    torch.testing.assert_close(
        found, torch.as_tensor(expected, dtype=found.dtype), rtol=0, atol=atol
    )


def test_matrices_of_axis_angles_agree_with_scipy(scipy_rotations):
    axis_angle = torch.tensor(scipy_rotations.as_rotvec())
    assert_close(
        transforms.axis_angle_to_matrix(axis_angle),
        scipy_rotations.as_matrix(),
    )


def test_quaternions_have_their_real_part_first(scipy_rotations):
    quaternions = scipy_rotations.as_quat(scalar_first=True, canonical=True)
    axis_angle = torch.tensor(scipy_rotations.as_rotvec())
    assert_close(transforms.axis_angle_to_quaternion(axis_angle), quaternions)
    assert_close(
        transforms.matrix_to_quaternion(matrices(scipy_rotations)), quaternions
    )


def test_opposite_quaternions_of_any_length_are_the_same_rotation(
    scipy_rotations,
):
    quaternions = torch.tensor(scipy_rotations.as_quat(scalar_first=True))
    for factor in (1, -1, 3):
        assert_close(
            transforms.quaternion_to_matrix(factor * quaternions),
            scipy_rotations.as_matrix(),
        )


def test_axis_angles_beyond_half_a_turn_survive_quaternions():
    axis = torch.nn.functional.normalize(
        torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64)
    )
    for angle in (1e-9, 1.0, 3.0, math.pi, 3.3, 6.0):
        quaternion = transforms.axis_angle_to_quaternion(angle * axis)
        assert_close(quaternion[:, 0], [math.cos(angle / 2)])
        assert_close(
            transforms.quaternion_to_axis_angle(quaternion), angle * axis
        )


@pytest.mark.parametrize('convention', TAIT_BRYAN + PROPER)
def test_euler_angles_of_every_order_agree_with_scipy(convention):
    angles = np.random.default_rng(1).uniform(-3, 3, (50, 3))
    expected = Rotation.from_euler(convention, angles).as_matrix()
    assert_close(
        transforms.euler_angles_to_matrix(torch.tensor(angles), convention),
        expected,
    )


@pytest.mark.parametrize('convention', TAIT_BRYAN + PROPER)
def test_euler_angles_of_every_order_come_back(convention, scipy_rotations):
    angles = transforms.matrix_to_euler_angles(
        matrices(scipy_rotations), convention
    )
    assert_close(angles, scipy_rotations.as_euler(convention), 1e-7)
    assert_close(
        transforms.euler_angles_to_matrix(angles, convention),
        scipy_rotations.as_matrix(),
        1e-9,
    )


@pytest.mark.parametrize('convention', TAIT_BRYAN + PROPER)
def test_locked_euler_angles_still_describe_the_rotation(convention):
    ends = (
        (-math.pi / 2, math.pi / 2)
        if convention in TAIT_BRYAN
        else (0.0, math.pi)
    )
    for end in ends:
        matrix = transforms.euler_angles_to_matrix(
            torch.tensor([0.7, end, -0.4], dtype=torch.float64), convention
        )
        angles = transforms.matrix_to_euler_angles(matrix, convention)
        assert_close(angles[1], end, 1e-6)
        assert_close(
            transforms.euler_angles_to_matrix(angles, convention), matrix, 1e-6
        )


@pytest.mark.parametrize(
    'convention', ['xyz', 'XXY', 'XYY', 'XY', 'XYZX', 'ABC', '']
)
@pytest.mark.parametrize('name', sorted(NEEDS_CONVENTION))
def test_impossible_euler_orders_are_refused(name, convention):
    with pytest.raises(ValueError, match='three letters out of X, Y and Z'):
        getattr(transforms, name)(IDENTITY[name], convention)


def test_six_numbers_are_two_rows(scipy_rotations):
    matrix = matrices(scipy_rotations)
    six = transforms.matrix_to_rotation_6d(matrix)
    assert_close(six, torch.cat([matrix[:, 0], matrix[:, 1]], dim=1))
    assert_close(transforms.rotation_6d_to_matrix(5 * six), matrix)
    # HMR's and our own order is columns: the transposed rotation.
    assert_close(
        six.unflatten(1, (2, 3)).mT.flatten(1),
        columns.matrix_to_rotation_6d(matrix.mT),
    )


def test_any_six_numbers_become_the_nearest_frame():
    six = torch.randn(
        100, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    matrix = transforms.rotation_6d_to_matrix(six)
    assert_close(
        matrix @ matrix.mT, torch.eye(3, dtype=torch.float64).expand(100, 3, 3)
    )
    assert_close(torch.linalg.det(matrix), torch.ones(100).double())
    first = torch.nn.functional.normalize(six[:, :3])
    assert_close(matrix[:, 0], first)
    assert (matrix[:, 1] * six[:, 3:]).sum(1).min() > 0


@pytest.mark.parametrize('name', sorted(IDENTITY))
@pytest.mark.parametrize('prefix', [(), (1,), (0,), (2, 3), (2, 1, 4)])
def test_any_batch_prefix_is_kept(name, prefix):
    rotation = IDENTITY[name]
    shape = call(name, rotation).shape
    assert call(name, rotation.expand(*prefix, *rotation.shape)).shape == (
        *prefix,
        *shape,
    )


@pytest.mark.parametrize('name', sorted(IDENTITY))
def test_gradients_are_finite_at_no_rotation(name):
    rotation = IDENTITY[name].clone().requires_grad_()
    # Weights that do not cancel by symmetry.
    result = call(name, rotation)
    (
        result * torch.arange(1.0, 1 + result.numel()).view_as(result)
    ).sum().backward()
    assert rotation.grad.isfinite().all()
    assert rotation.grad.abs().sum() > 0


@pytest.mark.parametrize('name', sorted(IDENTITY))
def test_gradients_agree_with_differences(name):
    rotation = Rotation.from_rotvec([[0.3, -0.7, 0.5], [-2.0, 1.0, 0.4]])
    given = {
        'axis_angle': rotation.as_rotvec(),
        'euler_angles': rotation.as_euler('XYZ'),
        'matrix': rotation.as_matrix(),
        'quaternion': rotation.as_quat(scalar_first=True),
        'rotation_6d': rotation.as_matrix()[:, :2].reshape(-1, 6),
    }[name.partition('_to_')[0]]
    torch.autograd.gradcheck(
        lambda value: call(name, value), torch.tensor(given).requires_grad_()
    )


@pytest.mark.parametrize('name', sorted(IDENTITY))
def test_types_are_kept(name):
    for dtype in (torch.float32, torch.float64):
        assert call(name, IDENTITY[name].to(dtype)).dtype == dtype


@pytest.fixture
def transform():
    generator = torch.Generator().manual_seed(0)
    return Transform3d(
        matrix=torch.eye(4, dtype=torch.float64)
        + 0.2 * torch.randn(3, 4, 4, dtype=torch.float64, generator=generator)
    )


def test_points_are_rows_and_end_up_divided(transform):
    points = np.random.default_rng(0).random((3, 5, 3))
    expected = [
        [
            (row := np.append(point, 1) @ matrix.numpy())[:3] / row[3]
            for point in batch
        ]
        for batch, matrix in zip(points, transform.get_matrix())
    ]
    assert_close(
        transform.transform_points(torch.tensor(points)), np.array(expected)
    )


def test_composition_acts_from_left_to_right(transform):
    move = Translate(torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64))
    points = torch.rand(5, 3, dtype=torch.float64)
    composed = transform.compose(move, transform)
    assert_close(
        composed.transform_points(points),
        transform.transform_points(
            move.transform_points(transform.transform_points(points))
        ),
    )
    assert len(composed) == len(transform) == 3


def test_inverse_undoes(transform):
    points = torch.rand(3, 5, 3, dtype=torch.float64)
    assert_close(
        transform.inverse().transform_points(
            transform.transform_points(points)
        ),
        points,
    )


def test_points_for_one_transform_keep_their_shape(transform):
    points = torch.rand(5, 3)
    assert Transform3d().transform_points(points).shape == (5, 3)
    assert Transform3d().transform_points(points[None]).shape == (1, 5, 3)
    assert transform.transform_points(points.double()).shape == (3, 5, 3)


def test_divisor_can_be_kept_away_from_zero():
    matrix = torch.eye(4)
    matrix[2, 3], matrix[3, 3] = 1, 0
    points = torch.tensor(
        [[1.0, 1.0, 0.0], [1.0, 1.0, -1e-9], [1.0, 1.0, 2.0]]
    )
    projected = Transform3d(matrix=matrix).transform_points(points, eps=0.1)
    assert_close(projected[:, 0], [10.0, -10.0, 0.5])


def test_rotations_multiply_rows_from_the_right(scipy_rotations):
    matrix = matrices(scipy_rotations)[:2]
    points = torch.rand(2, 5, 3, dtype=torch.float64)
    assert_close(Rotate(matrix).transform_points(points), points @ matrix)
    assert_close(
        Rotate(matrix[0]).transform_points(points[0]), points[0] @ matrix[0]
    )


@pytest.mark.parametrize(
    'wrong',
    [
        lambda: Transform3d(matrix=torch.eye(3)),
        lambda: Rotate(torch.eye(4)),
        lambda: Translate(torch.zeros(3)),
        lambda: Transform3d().transform_points(torch.zeros(3)),
    ],
)
def test_wrong_shapes_are_named(wrong):
    with pytest.raises(ValueError, match='shape'):
        wrong()
