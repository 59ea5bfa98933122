"""Pictures of one person."""

import numpy as np
import pytest
import torch

from mmd2a.geometry.cameras import weak_perspective_project
from mmd2a.geometry.rasterization import rasterize
from mmd2a.visualization.overlays import (
    crop_overlay,
    mask_overlay,
    mesh_overlay,
    side_view,
)

SIZE = (64, 64)
K = np.array([[60.0, 0, 31.5], [0, 60.0, 31.5], [0, 0, 1]])


@pytest.fixture(scope='module')
def person(body):
    """The body upright before the camera: root-relative vertices, faces."""
    vertices = body.v_template.numpy()
    centre = (vertices.max(0) + vertices.min(0)) / 2
    return (vertices - centre) * [1, -1, -1], body.faces.numpy()


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)


def test_an_overlay_changes_only_pixels_that_the_mesh_touches(person, photo):
    vertices, faces = person[0] + [0, 0, 2.5], person[1]
    before = photo.copy()
    drawn = mesh_overlay(photo, vertices, faces, K)
    np.testing.assert_array_equal(photo, before)
    face = rasterize(vertices, faces, K, SIZE).face
    # Touched: covered at any of 8 x 8 places inside the pixel.
    fine = np.diag([8.0, 8.0, 1.0]) @ K
    fine[:2, 2] += 3.5
    covered = rasterize(vertices, faces, fine, (8 * SIZE[0], 8 * SIZE[1]))
    near = (covered.face >= 0).reshape(SIZE[0], 8, SIZE[1], 8).any((1, 3))
    assert near.any() and not near.all()
    np.testing.assert_array_equal(drawn[~near], photo[~near])
    assert (drawn[face >= 0] != photo[face >= 0]).any(-1).mean() > 0.95


def test_a_transparent_overlay_is_the_image(person, photo):
    vertices = person[0] + [0, 0, 2.5]
    drawn = mesh_overlay(photo, vertices, person[1], K, alpha=0)
    np.testing.assert_array_equal(drawn, photo)


def test_a_mesh_behind_the_camera_leaves_the_image_as_it_is(person, photo):
    drawn = mesh_overlay(photo, person[0] - [0, 0, 9], person[1], K)
    np.testing.assert_array_equal(drawn, photo)


@pytest.mark.parametrize('camera', [(0.9, 0.0, 0.0), (0.7, 0.3, -0.2)])
def test_a_crop_overlay_lies_where_weak_perspective_puts_it(person, camera):
    black = np.zeros((*SIZE, 3), np.uint8)
    drawn = crop_overlay(black, *person, camera).any(-1)
    y, x = np.nonzero(drawn)
    corners = weak_perspective_project(
        torch.from_numpy(person[0]), torch.tensor(camera).double()
    ).numpy()
    expected = ((corners + 1) * 64 - 1) / 2
    lower, upper = expected.min(0), expected.max(0)
    # Fingertips are thinner than a pixel.
    np.testing.assert_allclose([x.min(), y.min()], lower, atol=2)
    np.testing.assert_allclose([x.max(), y.max()], upper, atol=2)


def test_the_side_view_shows_the_depth_of_a_body_and_fits(person):
    def extent(image):
        y, x = np.nonzero((image != 255).any(-1))
        assert min(y.min(), x.min()) > 0 and max(y.max(), x.max()) < 63
        return np.ptp(x) / np.ptp(y)

    front = extent(side_view(*person, SIZE, angle=0))
    side = extent(side_view(*person, SIZE))
    size = np.ptp(person[0], axis=0)
    assert front == pytest.approx(size[0] / size[1], rel=0.1)
    assert side == pytest.approx(size[2] / size[1], rel=0.15)


def test_the_side_view_looks_from_the_right_of_the_image():
    # A small thing at the right hides a large one at the left.
    triangle = np.array([[0, -1.0, -1], [0, 1, -1], [0, 0, 1]])
    vertices = np.concatenate([triangle, 0.3 * triangle + [1, 0, 0]])
    faces = [[0, 1, 2], [3, 4, 5]]
    colors = np.array([[1.0, 0, 0]] * 3 + [[0, 0, 1.0]] * 3)
    image = side_view(vertices, faces, SIZE, vertex_colors=colors)
    red, _, blue = image[32, 30]
    assert blue > red


def test_nothing_finite_gives_a_white_side_view(person):
    image = side_view(np.full_like(person[0], np.nan), person[1], SIZE)
    assert (image == 255).all()


def test_a_mask_tints_the_person_and_nothing_far_from_it(photo):
    mask = np.zeros(SIZE)
    mask[20:40, 20:40] = 1
    drawn = mask_overlay(photo, mask, color=(1, 0, 0), alpha=1)
    np.testing.assert_array_equal(drawn[25:35, 25:35, 0], 255)
    np.testing.assert_array_equal(drawn[:17], photo[:17])
    np.testing.assert_array_equal(drawn[:, 43:], photo[:, 43:])


def test_a_coarse_mask_covers_the_same_part_of_the_image(photo):
    fine = np.zeros(SIZE)
    fine[16:48, 24:40] = 1
    coarse = fine.reshape(16, 4, 16, 4).mean((1, 3))
    a = mask_overlay(photo, fine, alpha=1)
    b = mask_overlay(photo, coarse, alpha=1)
    assert (a == b).all(-1).mean() > 0.95


def test_an_image_of_the_wrong_kind_is_named(person):
    with pytest.raises(ValueError, match='uint8 RGB'):
        mesh_overlay(np.zeros((8, 8, 3)), *person, K)
    with pytest.raises(ValueError, match='uint8 RGB'):
        mask_overlay(np.zeros((8, 8), np.uint8), np.ones((8, 8)))
