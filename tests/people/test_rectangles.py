"""Rectangles are drawn where the triangle rasteriser draws them."""

import numpy as np

from mmd2a.geometry.rasterization import rasterize
from mmd2a.people.rectangles import Rectangles, box, draw_rectangles, join

K = np.array([[60.0, 0, 31.5], [0, 60.0, 31.5], [0, 0, 1]])


def test_depth_matches_the_rasteriser():
    rng = np.random.default_rng(0)
    boxes = [
        box(
            rng.uniform([-1, -1, 2], [1, 1, 4]),
            rng.uniform(0.1, 0.5, 3),
            rng.uniform(0, 3),
            i,
        )
        for i in range(4)
    ]
    # A floor that passes below and behind the camera.
    floor = Rectangles(
        np.array([[-9, 1.0, -9]]),
        np.array([[18.0, 0, 0]]),
        np.array([[0, 0, 30.0]]),
        np.array([4]),
        np.array([False]),
    )
    scene = join([*boxes, floor])
    corner, a, b = scene[:3]
    vertices = np.stack([corner, corner + a, corner + a + b, corner + b], 1)
    first = 4 * np.arange(len(corner))[:, None]
    faces = np.concatenate([first + [0, 1, 2], first + [0, 2, 3]])
    expected = rasterize(vertices.reshape(-1, 3), faces, K, (64, 64)).depth
    found = draw_rectangles(scene, K, (64, 64))
    same = np.isfinite(found.depth) == np.isfinite(expected)
    close = np.isclose(found.depth, expected, rtol=1e-4)
    # Pixels whose centre lies on an edge may belong to either side.
    assert (close & same).mean() > 0.995
    inside = found.rectangle >= 0
    assert (found.u[inside] >= 0).all() and (found.v[inside] >= 0).all()


def test_coordinates_are_metres_along_the_edges():
    wall = Rectangles(
        np.array([[-2.0, -1, 3]]),
        np.array([[4.0, 0, 0]]),
        np.array([[0, 2.0, 0]]),
        np.array([0]),
        np.array([False]),
    )
    surface = draw_rectangles(wall, K, (64, 64))
    np.testing.assert_allclose(surface.depth[32, 32], 3, rtol=1e-6)
    x = (40 - 31.5) / 60 * 3
    np.testing.assert_allclose(surface.u[32, 40], x + 2, rtol=1e-5)


def test_the_back_of_a_one_sided_rectangle_is_not_drawn():
    cube = box(np.array([0, 0, 3.0]), np.array([0.5, 0.5, 0.5]), 0.4, 0)
    inside_out = cube._replace(a=cube.b, b=cube.a)
    assert (draw_rectangles(cube, K, (64, 64)).rectangle >= 0).any()
    near = draw_rectangles(cube, K, (64, 64)).depth
    far = draw_rectangles(inside_out, K, (64, 64)).depth
    seen = np.isfinite(near) & np.isfinite(far)
    assert (far[seen] > near[seen]).mean() > 0.9
