import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd2a.geometry import (
    denormalize_keypoints2d,
    normalize_keypoints2d,
    project_points,
    weak_perspective_project,
    weak_perspective_to_translation,
)

K = torch.tensor(
    [[1200.0, 3.0, 640.0], [0.0, 1100.0, 360.0], [0.0, 0.0, 1.0]],
    dtype=torch.float64,
)


def scene(*prefix):
    points = torch.randn(*prefix, 20, 3, dtype=torch.float64)
    return points + torch.tensor([0.0, 0.0, 8.0])


def test_projection_matches_opencv():
    points = scene()
    expected, _ = cv2.projectPoints(
        points.numpy(),
        np.zeros(3),
        np.zeros(3),
        np.diag([1200.0, 1100.0, 1.0]) + [[0, 0, 640], [0, 0, 360], [0, 0, 0]],
        None,
    )
    camera = K.clone()
    camera[0, 1] = 0
    np.testing.assert_allclose(
        project_points(points, camera).numpy(), expected[:, 0], atol=1e-9
    )


def test_any_batch_prefix_broadcasts():
    points = scene(2, 3)
    cameras = K.expand(2, 3, 3, 3)
    one_by_one = torch.stack(
        [torch.stack([project_points(p, K) for p in row]) for row in points]
    )
    torch.testing.assert_close(project_points(points, cameras), one_by_one)
    torch.testing.assert_close(project_points(points, K), one_by_one)


def test_projection_is_differentiable():
    assert torch.autograd.gradcheck(
        project_points, (scene().requires_grad_(), K)
    )


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 4000), st.integers(1, 4000))
def test_normalising_and_denormalising_are_inverse(width, height):
    pixels = torch.randn(3, 7, 2, dtype=torch.float64) * 1000
    size = (width, height)
    torch.testing.assert_close(
        denormalize_keypoints2d(normalize_keypoints2d(pixels, size), size),
        pixels,
        atol=1e-9,
        rtol=1e-12,
    )


def test_each_crop_of_a_batch_may_have_its_own_size():
    pixels = torch.rand(2, 5, 2)
    sizes = torch.tensor([[224, 224], [192, 256]])
    both = normalize_keypoints2d(pixels, sizes)
    torch.testing.assert_close(
        both[1], normalize_keypoints2d(pixels[1], (192, 256))
    )


def test_crop_coordinates_are_those_of_grid_sample():
    width, height = 7, 5
    ys, xs = torch.meshgrid(
        torch.arange(height), torch.arange(width), indexing='ij'
    )
    image = torch.stack((xs, ys)).float()[None]
    pixels = torch.rand(1, 9, 2) * torch.tensor([width - 1, height - 1])
    grid = normalize_keypoints2d(pixels, (width, height))
    sampled = torch.nn.functional.grid_sample(
        image, grid[:, None], align_corners=False
    )
    torch.testing.assert_close(
        sampled[0, :, 0].T, pixels[0], atol=1e-5, rtol=0
    )


def test_weak_perspective_agrees_with_perspective_at_the_roots_depth():
    camera = torch.tensor([[0.9, 0.1, -0.2], [1.4, 0.0, 0.3]]).double()
    size, focal = 224, 5000.0
    crop_K = torch.tensor(
        [[focal, 0, (size - 1) / 2], [0, focal, (size - 1) / 2], [0, 0, 1]]
    ).double()
    points = torch.randn(2, 10, 3, dtype=torch.float64) * 0.4
    points[..., 2] = 0
    translation = weak_perspective_to_translation(camera, focal, (size, size))
    pixels = project_points(points + translation[:, None], crop_K)
    torch.testing.assert_close(
        normalize_keypoints2d(pixels, (size, size)),
        weak_perspective_project(points, camera),
        atol=1e-12,
        rtol=0,
    )


def test_weak_perspective_round_trip():
    camera = torch.tensor([[0.9, 0.1, -0.2]]).double()
    tx, ty, tz = weak_perspective_to_translation(camera, 1000.0, 224)[0]
    back = torch.stack((2 * 1000.0 / (tz * 224), tx, ty))
    torch.testing.assert_close(back, camera[0])


def test_weak_perspective_survives_a_camera_that_is_not_trained_yet():
    cameras = torch.tensor([[0.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    translation = weak_perspective_to_translation(cameras, 1000.0, 224)
    assert translation.isfinite().all() and (translation[:, 2] > 0).all()


def test_weak_perspective_refuses_crops_that_are_not_square():
    with pytest.raises(ValueError, match='must be square'):
        weak_perspective_to_translation(torch.ones(3), 1000.0, (192, 256))
