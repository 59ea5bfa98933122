"""Shaded meshes."""

import numpy as np
import pytest

from mmd2a.body_models import SMPLBodyModel
from mmd2a.geometry.rasterization import interpolate, rasterize, vertex_normals
from mmd2a.visualization.overlays import mesh_overlay
from mmd2a.visualization.rendering import paste, render_mesh

K = np.array([[40.0, 0, 15.5], [0, 40.0, 15.5], [0, 0, 1]])
SQUARE = np.array([[-0.5, -0.5, 2], [0.5, -0.5, 2], [0.5, 0.5, 2]] * 2)
SQUARE[4] = [0.5, 0.5, 2]
SQUARE[5] = [-0.5, 0.5, 2]
FACES = np.array([[0, 1, 2], [3, 4, 5]])


def test_a_rendering_is_opaque_inside_soft_at_the_edge_and_empty_outside():
    rgba = render_mesh(SQUARE + [0.013, 0.013, 0], FACES, K, (32, 32))
    alpha = rgba[..., 3]
    assert rgba.dtype == np.float32 and rgba.min() >= 0 and rgba.max() <= 1
    assert alpha[16, 16] == 1 and alpha[0, 0] == 0
    assert ((alpha > 0) & (alpha < 1)).any()
    assert (rgba[..., :3] <= alpha[..., None] + 1e-6).all()


def test_a_mesh_looks_the_same_whichever_way_its_faces_turn():
    front = render_mesh(SQUARE, FACES, K, (32, 32))
    back = render_mesh(SQUARE, FACES[:, ::-1], K, (32, 32))
    np.testing.assert_allclose(front, back, atol=1e-6)


def test_a_surface_that_faces_the_light_is_brighter():
    def brightness(tilt):
        vertices = SQUARE - [0, 0, 2]
        turn = np.array(
            [
                [1, 0, 0],
                [0, np.cos(tilt), -np.sin(tilt)],
                [0, np.sin(tilt), np.cos(tilt)],
            ]
        )
        rgba = render_mesh(vertices @ turn.T + [0, 0, 2], FACES, K, (32, 32))
        return rgba[16, 16, :3].mean()

    # The light comes from above: a ceiling's slope turns from it.
    assert brightness(-0.7) > brightness(0) > brightness(0.7)


def test_vertex_colors_keep_their_order_in_brightness():
    colors = np.repeat(np.linspace(0.1, 0.9, 3)[:, None], 3, 1)
    triangle = SQUARE[:3]
    rgba = render_mesh(triangle, FACES[:1], K, (32, 32), vertex_colors=colors)
    row = rgba[10, 10:24, 0]
    assert (np.diff(row[rgba[10, 10:24, 3] == 1]) > 0).all()


@pytest.mark.parametrize('alpha', [0.0, 0.5, 1.0])
def test_pasting_mixes_by_opacity_and_leaves_the_background_alone(alpha):
    background = np.full((2, 2, 3), 100, np.uint8)
    rgba = np.zeros((2, 2, 4), np.float32)
    rgba[0, 0] = 1
    image = paste(rgba, background, alpha)
    assert (image[0, 0] == round(100 + alpha * 155)).all()
    assert (image[1] == 100).all() and (background == 100).all()


def shade_every_sample(vertices, faces, K, size, color):
    """The formula of `render_mesh` at four samples of each pixel."""
    finer = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]]) @ K
    raster = rasterize(vertices, faces, finer, (2 * size, 2 * size))
    normal = interpolate(raster, faces, vertex_normals(vertices, faces))
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True).clip(1e-9)
    view = -interpolate(raster, faces, vertices)
    view /= np.linalg.norm(view, axis=-1, keepdims=True).clip(1e-9)
    facing = (normal * view).sum(-1)
    normal[facing < 0] *= -1
    key = np.array([-0.45, -0.7, -0.55])
    half_lambert = 0.5 + 0.5 * normal @ (key / np.linalg.norm(key))
    light = 0.22 + 0.88 * half_lambert**1.5
    rim = 0.22 * (1 - np.abs(facing)) ** 3
    rgb = np.clip(color * light[..., None] + rim[..., None], 0, 1)
    rgba = np.concatenate([rgb, np.ones_like(rgb[..., :1])], -1)
    rgba[raster.face < 0] = 0
    return rgba.reshape(size, 2, size, 2, 4).mean((1, 3))


@pytest.mark.parametrize('size, mean, tail', [(128, 0.7, 32), (512, 0.2, 12)])
def test_a_body_looks_as_if_every_sample_had_been_shaded(size, mean, tail):
    body = SMPLBodyModel()
    vertices = body.v_template.double().numpy() * [1, -1, -1]
    vertices += [0, 0, 3.2] - vertices.mean(0)
    faces = body.faces.numpy()
    K = np.array(
        [[1.5 * size, 0, size / 2], [0, 1.5 * size, size / 2], [0, 0, 1]]
    )
    color = (0.66, 0.75, 0.87)
    drawn = render_mesh(vertices, faces, K, (size, size), color)
    expected = shade_every_sample(vertices, faces, K, size, color)
    np.testing.assert_array_equal(drawn[..., 3], expected[..., 3])
    seen = expected[..., 3] > 0
    difference = 255 * np.abs(drawn - expected)[seen].max(-1)
    assert difference.mean() < mean
    assert np.quantile(difference, 0.999) < tail


def test_a_mesh_may_lie_beside_the_image_behind_the_camera_or_around_it():
    image = np.full((32, 32, 3), 100, np.uint8)
    for shift in ([9, 0, 0], [0, -9, 0], [0, 0, -9]):
        drawn = mesh_overlay(image, SQUARE + shift, FACES, K)
        np.testing.assert_array_equal(drawn, image)
    # A floor that begins behind the camera reaches the lower border.
    floor = np.array([[-9, 1, -2], [9, 1, -2], [9, 1, 9], [-9, 1, 9.0]])
    drawn = mesh_overlay(image, floor, [[0, 1, 2], [0, 2, 3]], K)
    assert (drawn[-1] != 100).all() and (drawn[0] == 100).all()
