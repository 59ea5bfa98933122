"""Silhouettes at the size of a crop and at others; turned points."""

import math

import pytest
import torch

from mmd2a.geometry import (
    crop_silhouettes,
    project_points,
    resize_intrinsics,
    turn_into_view,
    view_rotation,
)
from mmd2a.geometry.rasterization import rasterize_silhouette

K = torch.tensor([[40.0, 0, 15.5], [0, 40, 15.5], [0, 0, 1]])
SQUARE = torch.tensor([[-1.0, -1, 4], [1, -1, 4], [1, 1, 4], [-1, 1, 4]])
FACES = torch.tensor([[0, 1, 2], [0, 2, 3]])


@pytest.mark.parametrize('side', [16, 32, 64])
def test_a_square_covers_what_it_should(side):
    masks, drawn = crop_silhouettes(
        SQUARE[None], FACES, K[None], (32, 32), (side, side)
    )
    # 20 of 32 pixels of the crop in each direction.
    expected = torch.zeros(side, side, dtype=torch.bool)
    margin = 6 * side // 32
    expected[margin : side - margin, margin : side - margin] = True
    assert drawn.tolist() == [True]
    assert torch.equal(masks[0], expected)


def test_at_the_size_of_the_crop_it_is_the_rasteriser(body):
    mesh = body.v_template[None] * torch.tensor([1.0, -1, -1])
    mesh = mesh + torch.tensor([0.0, 0, 4])
    masks, _ = crop_silhouettes(mesh, body.faces, K[None], (32, 32), (32, 32))
    assert masks.any()
    assert torch.equal(
        masks, rasterize_silhouette(mesh, body.faces, K, (32, 32))
    )


def test_what_has_no_camera_or_is_at_it_is_not_drawn():
    near, lost = SQUARE - torch.tensor([0, 0, 3.95]), SQUARE * torch.nan
    meshes = torch.stack([SQUARE, SQUARE, near, lost])
    cameras = torch.stack([K, torch.zeros(3, 3), K, K])
    masks, drawn = crop_silhouettes(meshes, FACES, cameras, (32, 32), (8, 8))
    assert drawn.tolist() == [True, False, False, False]
    assert masks[0].any() and not masks[1:].any()


def test_resized_intrinsics_keep_corners_of_pixels_where_they_are():
    points = torch.randn(20, 3).double() + torch.tensor([0.0, 0, 5])
    small = resize_intrinsics(K.double(), (32, 32), (8, 16))
    share = torch.tensor([16 / 32, 8 / 32])
    expected = (project_points(points, K.double()) + 0.5) * share - 0.5
    torch.testing.assert_close(project_points(points, small), expected)


@pytest.mark.parametrize('shape', [(), (3,), (2, 3)])
def test_points_turn_as_the_rotation_says(shape):
    points = torch.randn(*shape, 5, 3).double()
    yaw = torch.randn(shape).double()
    expected = torch.einsum('...ij,...pj->...pi', view_rotation(yaw), points)
    torch.testing.assert_close(turn_into_view(points, yaw), expected)
    back = turn_into_view(turn_into_view(points, yaw), -yaw)
    torch.testing.assert_close(back, points)


def test_at_a_quarter_the_camera_stands_at_the_left():
    quarter = torch.tensor(math.pi / 2)
    point = torch.tensor([[1.0, 2.0, 3.0]])
    torch.testing.assert_close(
        turn_into_view(point, quarter), torch.tensor([[-3.0, 2, 1]])
    )
