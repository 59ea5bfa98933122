"""Shaded meshes."""

import numpy as np
import pytest

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
