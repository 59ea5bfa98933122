"""Coarse meshes: faithful at rest and in motion, for any mesh."""

import numpy as np
import pytest
import torch
import trimesh

from mmd2a.body_models import coarsen_mesh


@pytest.fixture(scope='module')
def mesh(body):
    return body.v_template.numpy(), body.faces.numpy()


@pytest.fixture(scope='module')
def coarse(mesh):
    return coarsen_mesh(*mesh, 431)


@pytest.fixture(scope='module')
def posed(body):
    generator = torch.Generator().manual_seed(0)
    pose = 0.35 * torch.randn(8, 69, generator=generator)
    pose[:, [9, 12]] = pose[:, [9, 12]].abs() * 3  # knees bend one way
    return body(
        torch.randn(8, 3, generator=generator),
        pose,
        torch.randn(8, 10, generator=generator),
    ).vertices.numpy()


def test_shapes_and_picks(mesh, coarse):
    vertices, _ = mesh
    assert coarse.down.shape == (431, len(vertices))
    assert coarse.up.shape == (len(vertices), 431)
    assert len(np.unique(coarse.vertex_ids)) == 431
    np.testing.assert_array_equal(
        coarse.down @ vertices, vertices[coarse.vertex_ids]
    )


def test_going_up_and_down_again_changes_nothing(coarse):
    points = np.random.default_rng(0).random((431, 3)).astype(np.float32)
    np.testing.assert_allclose(
        coarse.down @ (coarse.up @ points), points, rtol=1e-6
    )


def test_rows_sum_to_one_and_stay_local(coarse):
    np.testing.assert_allclose(
        coarse.up.sum(1, dtype=np.float64), 1, atol=1e-6
    )
    assert (coarse.up != 0).sum(1).max() <= 12
    # Noise on the coarse mesh is hardly amplified.
    assert np.abs(coarse.up).sum(1).mean() < 1.5
    assert np.abs(coarse.up).sum(1).max() < 5


def test_the_rest_mesh_comes_back_within_a_millimetre(mesh, coarse):
    vertices, _ = mesh
    error = np.linalg.norm(
        coarse.up @ vertices[coarse.vertex_ids] - vertices, axis=1
    )
    assert error.mean() < 0.5e-3
    assert error.max() < 5e-3


def test_posed_people_come_back_within_millimetres(coarse, posed):
    # 431 points are 6 cm apart; what is left sits at bent joints.
    error = np.linalg.norm(
        coarse.up @ posed[:, coarse.vertex_ids] - posed, axis=-1
    )
    assert error.mean() < 5e-3
    assert np.percentile(error, 99) < 25e-3


def test_more_vertices_are_more_faithful(mesh, posed):
    errors = []
    for count in (100, 300, 900):
        coarse = coarsen_mesh(*mesh, count)
        errors.append(
            np.linalg.norm(
                coarse.up @ posed[:, coarse.vertex_ids] - posed, axis=-1
            ).mean()
        )
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_rigid_motion_commutes_with_going_up(mesh, coarse):
    vertices, _ = mesh
    turn = trimesh.transformations.random_rotation_matrix(
        np.array([0.2, 0.5, 0.8])
    )[:3, :3].astype(np.float32)
    small = vertices[coarse.vertex_ids]
    np.testing.assert_allclose(
        coarse.up @ (small @ turn.T + 2),
        (coarse.up @ small) @ turn.T + 2,
        atol=2e-6,
    )


def test_it_is_deterministic_and_cached(mesh):
    first = coarsen_mesh(*mesh, 53)
    assert coarsen_mesh(*mesh, 53) is first
    for count in range(54, 58):
        coarsen_mesh(*mesh, count)
    again = coarsen_mesh(*mesh, 53)
    assert again is not first
    for new, old in zip(again, first):
        np.testing.assert_array_equal(new, old)


def test_coarse_faces_span_the_body(mesh, coarse):
    vertices, faces = mesh
    small = trimesh.Trimesh(
        vertices[coarse.vertex_ids], coarse.faces, process=False
    )
    whole = trimesh.Trimesh(vertices, faces, process=False)
    assert 0.8 < small.area / whole.area < 1.1
    assert 0.8 < small.volume / whole.volume < 1.1  # outward normals


def test_loose_parts_move_with_the_nearest(mesh):
    """A part without coarse vertices of its own is not left behind."""
    ball = trimesh.creation.icosphere(subdivisions=3)
    dot = trimesh.creation.icosphere(subdivisions=1, radius=0.01)
    vertices = np.concatenate([ball.vertices, dot.vertices + [0, 0, 0.9]])
    faces = np.concatenate([ball.faces, dot.faces + len(ball.vertices)])
    coarse = coarsen_mesh(vertices, faces, 40)
    moved = vertices + [1.0, 2, 3]
    error = np.linalg.norm(
        coarse.up @ moved[coarse.vertex_ids] - moved, axis=1
    )
    assert error[len(ball.vertices) :].max() < 0.05


@pytest.mark.parametrize(
    'vertices, faces, count, message',
    [
        (np.zeros((2, 10, 3)), np.zeros((1, 3), int), 4, r'expected \(V, 3\)'),
        (np.zeros((10, 3)), np.zeros((1, 4), int), 4, r'expected \(F, 3\)'),
        (np.zeros((10, 3)), np.zeros((1, 3), int), 11, 'num_vertices=11'),
    ],
)
def test_wrong_input_is_named(vertices, faces, count, message):
    with pytest.raises(ValueError, match=message):
        coarsen_mesh(vertices, faces, count)
