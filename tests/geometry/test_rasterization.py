"""The rasteriser against a loop over pixels and triangles, and its rules.

Over 350 lines: one function against several references.
"""

import numpy as np
import pytest
import torch

from mmd2a.geometry.rasterization import (
    interpolate,
    rasterize,
    rasterize_depth,
    rasterize_faces,
    rasterize_silhouette,
    vertex_normals,
)

SIZE = (40, 48)
K = np.array([[50.0, 0, 23.5], [0, 52.0, 19.5], [0, 0, 1]])


def soup(seed, num=60, scale=0.5):
    """Triangles of all sizes in front of the camera: vertices and faces."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform([-1, -1, 1.5], [1, 1, 4], (num, 1, 3))
    spread = scale * rng.uniform(0.05, 1, (num, 1, 1)) ** 2
    vertices = centre + spread * rng.normal(size=(num, 3, 3))
    vertices[..., 2] = vertices[..., 2].clip(0.5)
    return vertices.reshape(-1, 3), np.arange(3 * num).reshape(-1, 3)


def brute_force(vertices, faces, camera, size, cull):
    """Meet every pixel ray with every triangle in space, one by one.

    Returns depth, face, barycentric, and a mask of the pixels whose answer
    hangs on rounding (an edge through the pixel centre, or two equal depths).
    """
    height, width = size
    depth = np.full(size, np.inf)
    face = np.full(size, -1)
    weights = np.zeros((*size, 3))
    unsure = np.zeros(size, bool)
    for y in range(height):
        for x in range(width):
            ray = np.linalg.solve(camera, [x, y, 1.0])
            for i, (a, b, c) in enumerate(vertices[faces]):
                normal = np.cross(b - a, c - a)
                facing = normal @ ray
                if facing == 0 or (cull and facing > 0):
                    continue
                z = (normal @ a) / facing  # the ray has unit depth
                solution = np.linalg.lstsq(
                    np.stack([b - a, c - a], 1), z * ray - a, rcond=None
                )[0]
                w = np.array([1 - solution.sum(), *solution])
                if z <= 0 or w.min() < -1e-9:
                    continue
                unsure[y, x] |= w.min() < 1e-9 or abs(z - depth[y, x]) < 1e-9
                if z < depth[y, x]:
                    depth[y, x], face[y, x], weights[y, x] = z, i, w
    return depth, face, weights, unsure


def fan(num=24, radius=0.6, z=2.0):
    """A disc of thin triangles around one vertex, with its own area in px."""
    angle = np.linspace(0, 2 * np.pi, num, endpoint=False)
    rim = np.stack(
        [radius * np.cos(angle), radius * np.sin(angle), 0 * angle], 1
    )
    vertices = np.concatenate([np.zeros((1, 3)), rim]) + [0, 0, z]
    i = np.arange(num)
    faces = np.stack([0 * i, 1 + i, 1 + (i + 1) % num], 1)
    return vertices, faces


@pytest.mark.parametrize('cull', [False, True])
@pytest.mark.parametrize('seed', range(2))
def test_agrees_with_a_loop_over_pixels_and_triangles(seed, cull):
    vertices, faces = soup(seed, num=30, scale=1)
    camera, size = K - [[0, 0, 10], [0, 0, 8], [0, 0, 0]], (24, 28)
    depth, face, weights, unsure = brute_force(
        vertices, faces, camera, size, cull
    )
    raster = rasterize(vertices, faces, camera, size, cull=cull)
    assert unsure.sum() < 3 and len(np.unique(face)) > 5
    assert (raster.face == face)[~unsure].all()
    seen = (face >= 0) & ~unsure
    np.testing.assert_allclose(raster.depth[seen], depth[seen], rtol=1e-6)
    np.testing.assert_allclose(
        raster.barycentric[seen], weights[seen], atol=1e-6
    )


def test_dtypes_and_shapes_are_those_of_the_contract():
    raster = rasterize(*soup(0), K, SIZE)
    assert raster.depth.dtype == np.float32 and raster.depth.shape == SIZE
    assert raster.face.dtype == np.int32 and raster.face.shape == SIZE
    assert raster.barycentric.dtype == np.float32
    assert raster.barycentric.shape == (*SIZE, 3)


def test_barycentric_weights_sum_to_one_and_empty_pixels_say_so():
    raster = rasterize(*soup(1), K, SIZE)
    seen = raster.face >= 0
    assert seen.any() and not seen.all()
    assert raster.barycentric.min() >= 0
    np.testing.assert_allclose(raster.barycentric[seen].sum(-1), 1, atol=1e-6)
    assert (raster.barycentric[~seen] == 0).all()
    assert np.isposinf(raster.depth[~seen]).all()


def test_interpolated_positions_lie_on_the_ray_of_their_pixel():
    vertices, faces = soup(2)
    raster = rasterize(vertices, faces, K, SIZE)
    points = interpolate(raster, faces, vertices)
    y, x = np.nonzero(raster.face >= 0)
    projected = points[y, x] @ K.T
    projected = projected[:, :2] / projected[:, 2:]
    np.testing.assert_allclose(projected, np.stack([x, y], 1), atol=1e-3)
    np.testing.assert_allclose(points[y, x, 2], raster.depth[y, x], rtol=1e-5)


def test_depth_alone_equals_the_depth_of_the_raster():
    vertices, faces = soup(3)
    np.testing.assert_array_equal(
        rasterize_depth(vertices, faces, K, SIZE),
        rasterize(vertices, faces, K, SIZE).depth,
    )


def test_triangles_that_share_an_edge_leave_no_gap_and_never_overlap():
    vertices, faces = fan()
    single = [
        rasterize(vertices, faces[i : i + 1], K, SIZE).face == 0
        for i in range(len(faces))
    ]
    whole = rasterize(vertices, faces, K, SIZE).face >= 0
    np.testing.assert_array_equal(np.sum(single, 0), whole)
    # The rim's outline fixes the disc: nothing is missing inside it.
    y, x = np.indices(SIZE)
    ray = np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1]])
    inside = np.hypot(*ray) < 0.6 / 2 * np.cos(np.pi / 24) - 1e-9
    assert whole[inside].all()


def test_a_pixel_on_a_left_or_top_edge_is_drawn_and_on_the_others_is_not():
    camera = np.diag([1.0, 1, 1])
    square = np.array([[2.0, 3, 1], [5, 3, 1], [5, 7, 1], [2, 7, 1]])
    face = rasterize(square, [[0, 1, 2], [0, 2, 3]], camera, (10, 10)).face
    rows, columns = np.nonzero(face >= 0)
    assert (rows.min(), rows.max()) == (3, 6)
    assert (columns.min(), columns.max()) == (2, 4)
    assert len(rows) == 12


def test_of_two_equal_faces_the_lower_index_wins_in_any_order():
    vertices, faces = soup(4, num=20)
    once = rasterize(vertices, faces, K, SIZE).face
    twice = rasterize(vertices, np.concatenate([faces, faces]), K, SIZE).face
    np.testing.assert_array_equal(once, twice)


def test_culling_leaves_the_front_of_a_closed_body_as_it_was(body):
    vertices = body.v_template.numpy()
    vertices = (vertices - vertices.mean(0)) * [1, -1, -1] + [0, 0, 2.5]
    faces = body.faces.numpy()
    both = rasterize(vertices, faces, K, SIZE)
    front = rasterize(vertices, faces, K, SIZE, cull=True)
    assert (both.face >= 0).sum() > 200
    # Where skin dips into skin a back face may be the nearer one.
    assert (both.face == front.face).mean() > 0.995


def test_a_floor_that_passes_under_the_camera_is_clipped_at_the_near_plane():
    floor = np.array([[-9.0, 1, -5], [9, 1, -5], [9, 1, 50], [-9, 1, 50]])
    raster = rasterize(floor, [[0, 1, 2], [0, 2, 3]], K, SIZE, near=0.1)
    y, x = np.indices(SIZE)
    expected = K[1, 1] / np.where(y > K[1, 2], y - K[1, 2], np.nan)
    visible = (expected < 50) & (
        np.abs((x - K[0, 2]) * expected / K[0, 0]) < 9
    )
    np.testing.assert_array_equal(raster.face >= 0, visible)
    np.testing.assert_allclose(
        raster.depth[visible], expected[visible], rtol=1e-6
    )
    points = interpolate(raster, [[0, 1, 2], [0, 2, 3]], floor)
    np.testing.assert_allclose(points[visible][:, 1], 1, atol=1e-5)


@pytest.mark.parametrize('hidden', [1, 2, 3])
def test_a_face_with_hidden_corners_shows_only_what_is_past_near(hidden):
    triangle = np.array([[-0.4, -0.5, 2.0], [0.6, -0.3, 2.2], [0.1, 0.6, 1.8]])
    triangle[:hidden, 2] -= 3
    near = 0.5
    raster = rasterize(triangle, [[0, 1, 2]], K, SIZE, near=near)
    # The plane through the corners, met by each ray.
    normal = np.cross(triangle[1] - triangle[0], triangle[2] - triangle[0])
    y, x = np.indices(SIZE)
    ray = np.stack([x, y, np.ones(SIZE)], -1) @ np.linalg.inv(K).T
    z = (normal @ triangle[0]) / (ray @ normal)
    weight = np.linalg.solve(triangle.T, (ray * z[..., None])[..., None])
    inside = (weight[..., 0] > 0).all(-1) & (z > near)
    np.testing.assert_array_equal(raster.face == 0, inside)
    np.testing.assert_allclose(raster.depth[inside], z[inside], rtol=1e-6)
    assert inside.any() == (hidden < 3)


@pytest.mark.parametrize(
    'move', [[0, 0, -9], [50, 0, 0], [-50, 0, 0], [0, 50, 0], [0, -50, 0]]
)
def test_what_is_out_of_sight_draws_nothing(move):
    vertices, faces = soup(5)
    raster = rasterize(vertices + move, faces, K, SIZE)
    assert (raster.face == -1).all() and np.isposinf(raster.depth).all()


def test_an_image_is_a_window_of_a_larger_one():
    vertices, faces = soup(6, scale=1.5)
    large = rasterize(vertices, faces, K, SIZE)
    shifted = K - [[0, 0, 11], [0, 0, 7], [0, 0, 0]]
    small = rasterize(vertices, faces, shifted, (20, 24))
    np.testing.assert_array_equal(small.face, large.face[7:27, 11:35])
    np.testing.assert_allclose(
        small.depth, large.depth[7:27, 11:35], rtol=1e-6
    )


@pytest.mark.parametrize('num_vertices', [0, 5])
def test_an_empty_mesh_draws_an_empty_image(num_vertices):
    vertices = np.ones((num_vertices, 3))
    for faces in ([], np.zeros((0, 3), int)):
        raster = rasterize(vertices, faces, K, SIZE)
        assert (raster.face == -1).all()
        assert interpolate(
            raster, np.zeros((0, 3), int), np.ones((5, 2))
        ).shape == (*SIZE, 2)
    assert vertex_normals(vertices, []).shape == (num_vertices, 3)


def test_faces_without_area_draw_nothing():
    vertices = np.array([[0, 0, 2.0], [1, 1, 2], [2, 2, 2]])
    faces = [[0, 1, 2], [0, 0, 1], [1, 1, 1]]
    assert (rasterize(vertices, faces, K, SIZE).face == -1).all()


def test_needles_stay_within_the_depths_of_their_corners():
    rng = np.random.default_rng(0)
    ends = rng.uniform([-1, -1, 1], [1, 1, 9], (2, 3000, 3))
    side = ends[0] + 10.0 ** rng.uniform(-12, -2, (3000, 1)) * rng.normal(
        size=(3000, 3)
    )
    vertices = np.stack([ends[0], ends[1], side], 1).reshape(-1, 3)
    faces = np.arange(9000).reshape(-1, 3)
    raster = rasterize(vertices, faces, K, SIZE)
    seen = raster.face >= 0
    corner = vertices[faces[raster.face[seen]], 2]
    assert seen.sum() > 100
    assert (raster.depth[seen] >= corner.min(1) * (1 - 1e-4)).all()
    assert (raster.depth[seen] <= corner.max(1) * (1 + 1e-4)).all()


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize('axis', range(3))
def test_a_vertex_that_is_not_finite_takes_only_its_faces_with_it(bad, axis):
    vertices, faces = soup(7)
    spoilt = vertices.copy()
    spoilt[faces[5, 1], axis] = bad
    kept = np.delete(np.arange(len(faces)), 5)
    expected = rasterize(vertices, faces[kept], K, SIZE)
    raster = rasterize(spoilt, faces, K, SIZE)
    np.testing.assert_array_equal(raster.depth, expected.depth)
    assert not (raster.face == 5).any()


def test_wrong_input_is_named():
    vertices, faces = soup(0)
    with pytest.raises(ValueError, match=r'vertices must be \(N, 3\)'):
        rasterize(vertices[:, :2], faces, K, SIZE)
    with pytest.raises(ValueError, match=r'faces must be \(N, 3\)'):
        rasterize(vertices, faces.reshape(-1, 6), K, SIZE)
    with pytest.raises(ValueError, match=r'K must be \(3, 3\)'):
        rasterize(vertices, faces, K[:2], SIZE)
    with pytest.raises(ValueError, match='refer to vertices'):
        rasterize(vertices[:-1], faces, K, SIZE)
    with pytest.raises(ValueError, match=r'\(B, V, 3\)'):
        rasterize_silhouette(torch.from_numpy(vertices), faces, K, SIZE)


def test_silhouettes_of_a_batch_are_where_each_raster_is_not_empty():
    faces = soup(0)[1]
    batch = np.stack([soup(seed)[0] for seed in range(3)])
    masks = rasterize_silhouette(
        torch.from_numpy(batch).float().requires_grad_(), faces, K, SIZE
    )
    assert masks.dtype == torch.bool and not masks.requires_grad
    for mask, vertices in zip(masks, batch.astype(np.float32)):
        expected = rasterize(vertices, faces, K, SIZE).face >= 0
        np.testing.assert_array_equal(mask.numpy(), expected)


def test_each_silhouette_of_a_batch_may_have_its_own_camera():
    vertices, faces = soup(8)
    cameras = torch.from_numpy(np.stack([K, K * [[2], [2], [1]]]))
    batch = torch.from_numpy(vertices).expand(2, -1, -1)
    masks = rasterize_silhouette(batch, torch.from_numpy(faces), cameras, SIZE)
    for mask, camera in zip(masks, cameras):
        alone = rasterize_silhouette(batch[:1], faces, camera, SIZE)[0]
        assert torch.equal(mask, alone)
    assert not torch.equal(*masks)
    none = rasterize_silhouette(batch[:0], faces, K, SIZE)
    assert none.shape == (0, *SIZE)


def test_interpolating_a_constant_gives_it_back_and_zero_outside():
    vertices, faces = soup(9)
    raster = rasterize(vertices, faces, K, SIZE)
    image = interpolate(raster, faces, np.full((len(vertices), 2), 3.0))
    seen = raster.face >= 0
    np.testing.assert_allclose(image[seen], 3, rtol=1e-6)
    assert (image[~seen] == 0).all()


def test_normals_of_a_sphere_point_away_from_its_centre():
    theta, phi = np.meshgrid(
        np.linspace(0.05, np.pi - 0.05, 40),
        np.linspace(0, 2 * np.pi, 60, endpoint=False),
        indexing='ij',
    )
    sphere = np.stack(
        [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi)]
        + [np.cos(theta)],
        -1,
    )
    i = np.arange(40 * 60).reshape(40, 60)
    j = np.roll(i, -1, 1)
    faces = np.concatenate(
        [
            np.stack([i[:-1], i[1:], j[1:]], -1).reshape(-1, 3),
            np.stack([i[:-1], j[1:], j[:-1]], -1).reshape(-1, 3),
        ]
    )
    normals = vertex_normals(5 * sphere.reshape(-1, 3), faces)
    assert normals.dtype == np.float32
    inner = normals.reshape(40, 60, 3)[2:-2]
    assert ((inner * sphere[2:-2]).sum(-1) > 0.995).all()


def test_a_vertex_without_faces_has_no_normal():
    normals = vertex_normals(
        [[0, 0, 0], [1, 0, 0], [0, 1, 0], [7, 7, 7]], [[0, 1, 2]]
    )
    np.testing.assert_array_equal(normals[:3], [[0, 0, 1]] * 3)
    np.testing.assert_array_equal(normals[3], [0, 0, 0])


@pytest.mark.parametrize('near', [0.05, 2.2])
def test_faces_alone_are_those_of_the_whole_raster(near):
    # More fragments than are tested at a time, some of them equally near.
    rng = np.random.default_rng(0)
    vertices = rng.normal(size=(300, 3)) * [1, 1, 0.3] + [0, 0, 2.5]
    faces = rng.integers(0, 300, (400, 3))
    faces = np.concatenate([faces, faces[:50]])
    K = np.array([[90.0, 0, 63.5], [0, 90, 63.5], [0, 0, 1]])
    inverse, face = rasterize_faces(vertices, faces, K, (128, 128), near)
    raster = rasterize(vertices, faces, K, (128, 128), near=near)
    np.testing.assert_array_equal(face, raster.face)
    assert face.max() < 400  # of equals the lowest
    with np.errstate(divide='ignore'):
        np.testing.assert_array_equal(
            (1 / inverse).astype(np.float32), raster.depth
        )
