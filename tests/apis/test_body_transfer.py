"""Predictions as another body: by vertices, by joints, of any maker."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmd2a.apis import PersonMesh, fit_to_body
from mmd2a.body_models import (
    EMBEDDED_BODY_PATH,
    BodyFileError,
    BodyFitter,
    SMPLBodyModel,
    joint_names,
    load_embedded_body,
)

KEYS = (
    'v_template',
    'f',
    'shapedirs',
    'posedirs',
    'J_regressor',
    'weights',
    'kintree_table',
)


@pytest.fixture(scope='module')
def fitter(body):
    return BodyFitter(body)


@pytest.fixture(scope='module')
def people(body):
    """Two bodies of mean shape before a camera."""
    generator = torch.Generator().manual_seed(0)
    pose = 0.25 * torch.randn(2, 69, generator=generator)
    orient = torch.tensor([[3.0, 0.2, 0.1], [2.9, -0.5, 0.3]])
    mesh = body(orient, pose, torch.zeros(2, 10)).vertices.numpy()
    place = np.array([0.2, 0.1, 4], np.float32)
    nothing = np.full(3, np.nan)
    return [
        PersonMesh(
            vertices=each,
            keypoints3d=np.zeros((14, 3)),
            keypoints2d=np.zeros((14, 2)),
            joint_names=joint_names('h36m14'),
            transl=place,
            camera=nothing,
            K=np.eye(3),
            camera_source='given',
            bbox=np.zeros(4),
            score=1.0,
            crop_matrix=np.eye(3)[:2],
            crop_size=(9, 9),
            image_size=(9, 9),
        )
        for each in mesh
    ]


def meshes(people):
    return np.stack([person.vertices + person.transl for person in people])


@pytest.fixture(scope='module')
def order(body):
    return np.random.default_rng(0).permutation(body.num_vertices)


@pytest.fixture(scope='module')
def other_file(order, tmp_path_factory):
    """The same body with its vertices in another order: a file of a user."""
    arrays = {key: load_embedded_body()[key] for key in KEYS}
    place = np.argsort(order)
    for key in ('v_template', 'shapedirs', 'posedirs', 'weights'):
        arrays[key] = arrays[key][order]
    arrays['J_regressor'] = arrays['J_regressor'][:, order]
    arrays['f'] = place[arrays['f']]
    path = tmp_path_factory.mktemp('body') / 'other.npz'
    np.savez(path, **arrays)
    return path


def posed(body, done):
    values = {k: torch.from_numpy(v) for k, v in done.parameters.items()}
    return body(**values).vertices.numpy()


def test_the_same_topology_is_fitted_by_its_vertices(people, body, fitter):
    done = fit_to_body(people, body, body_fitter=fitter)
    assert done.by == 'vertices' and (done.residual < 2e-4).all()
    np.testing.assert_allclose(done.vertices, meshes(people), atol=2e-3)
    np.testing.assert_allclose(posed(body, done), done.vertices, atol=1e-5)


def test_another_topology_is_fitted_by_its_joints(
    people, other_file, order, fitter
):
    done = fit_to_body(people, other_file, body_fitter=fitter)
    assert done.by == 'joints' and (done.residual < 2e-3).all()
    other = SMPLBodyModel(other_file)
    np.testing.assert_allclose(posed(other, done), done.vertices, atol=1e-5)
    # It is the same body, so its mesh comes out too.
    away = done.vertices - meshes(people)[:, order]
    assert np.linalg.norm(away, axis=-1).mean() < 5e-3


def test_joints_are_met_by_a_body_of_other_bones(people, tmp_path, fitter):
    """A child: everything is three quarters as large."""
    arrays = {key: load_embedded_body()[key] for key in KEYS}
    for key in ('v_template', 'shapedirs', 'posedirs'):
        arrays[key] = 0.75 * arrays[key]
    arrays['f'] = arrays['f'][:, [1, 2, 0]]  # other faces
    np.savez(tmp_path / 'child.npz', **arrays)
    done = fit_to_body(people, str(tmp_path / 'child.npz'), body_fitter=fitter)
    assert done.by == 'joints'
    # It grows as far as its shapes allow; unfitted it would be 8 cm off.
    assert (done.residual < 0.04).all()
    assert np.isfinite(done.vertices).all()


def test_a_correspondence_gives_what_vertices_would(
    people, other_file, order, body, fitter
):
    ids = np.repeat(order[:, None], 3, 1)
    weights = np.tile([0.5, 0.25, 0.25], (len(ids), 1))
    done = fit_to_body(people, other_file, (ids, weights), fitter)
    assert done.by == 'vertices' and (done.residual < 2e-4).all()
    np.testing.assert_allclose(
        done.vertices, meshes(people)[:, order], atol=2e-3
    )


def test_a_free_mesh_leaves_a_residual(people, body, fitter):
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.02, people[0].vertices.shape)
    rough = replace(people[0], vertices=people[0].vertices + noise)
    done = fit_to_body([rough], body, body_fitter=fitter)
    away = np.linalg.norm(done.vertices - meshes([rough]), axis=-1)
    np.testing.assert_allclose(done.residual, away.mean(1), atol=1e-4)
    assert 0.02 < done.residual[0] < 0.05


@pytest.fixture(scope='module')
def package_body(tmp_path_factory):
    package = pytest.importorskip('body_models.smpl.torch')
    path = tmp_path_factory.mktemp('package') / 'body.npz'
    np.savez(path, **{key: load_embedded_body()[key] for key in KEYS})
    return package.SMPL(model_path=path)


def test_a_body_of_the_package_body_models(people, package_body, fitter):
    done = fit_to_body(people, package_body, body_fitter=fitter)
    assert done.by == 'joints' and (done.residual < 2e-3).all()
    again = package_body.forward_vertices(
        **{k: torch.from_numpy(v) for k, v in done.parameters.items()}
    )
    np.testing.assert_allclose(again.numpy(), done.vertices, atol=1e-5)
    away = done.vertices - meshes(people)
    assert np.linalg.norm(away, axis=-1).mean() < 5e-3


def test_a_body_of_the_package_starts_from_rest_where_it_must(
    people, package_body, fitter, monkeypatch
):
    """As ANNY or MHR do, whose pose is not that of SMPL."""
    monkeypatch.setattr('mmd2a.apis.target_bodies._LIKE_SMPL', ())
    done = fit_to_body(people, package_body, body_fitter=fitter)
    assert (done.residual < 0.01).all()


def test_another_runtime_of_the_package_is_refused(people):
    package = pytest.importorskip('body_models.smpl.numpy')
    with pytest.raises(ValueError, match="'numpy'"):
        fit_to_body(people, package.SMPL(model_path=EMBEDDED_BODY_PATH))


def test_nobody(other_file, body, fitter):
    for target in (other_file, body):
        done = fit_to_body([], target, body_fitter=fitter)
        assert done.vertices.shape == (0, body.num_vertices, 3)
        assert len(done.residual) == 0


@pytest.mark.parametrize(
    ('correspondence', 'words'),
    [
        ((np.zeros((5, 3), int), np.ones((5, 3))), 'the correspondence is'),
        ((np.full((6907, 3), 7000), np.ones((6907, 3))), 'lack'),
        ((np.zeros((6907, 3)), np.ones((6907, 3))), 'whole numbers'),
        ((np.zeros((6907, 3), int), np.ones((6907, 3))), 'sum to 1'),
    ],
)
def test_a_wrong_correspondence_is_told(people, body, correspondence, words):
    with pytest.raises(ValueError, match=words):
        fit_to_body(people, body, correspondence)


def test_what_is_no_body_is_told(people, tmp_path, fitter):
    with pytest.raises(ValueError, match='dict is no body'):
        fit_to_body(people, {}, body_fitter=fitter)
    with pytest.raises(BodyFileError):
        fit_to_body(people, tmp_path / 'absent.npz', body_fitter=fitter)
    short = replace(people[0], vertices=np.zeros((9, 3)))
    with pytest.raises(ValueError, match='9 vertices'):
        fit_to_body([short], fitter.body_model, body_fitter=fitter)
