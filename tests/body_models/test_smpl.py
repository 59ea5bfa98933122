"""The body layer, against independent implementations and by properties."""

import copy

import numpy as np
import pytest
import torch

from mmd2a.body_models import SMPLBodyModel, load_embedded_body
from mmd2a.geometry import axis_angle_to_matrix
from mmd2a.registry import MODELS


@pytest.fixture(scope='module')
def params() -> dict:
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int, scale: float = 1.0) -> torch.Tensor:
        return scale * torch.randn(*shape, generator=generator)

    return dict(
        global_orient=draw(3, 3),
        body_pose=draw(3, 69, scale=0.4),
        betas=draw(3, 10),
        transl=draw(3, 3),
    )


@pytest.fixture(scope='module')
def double_body() -> SMPLBodyModel:
    return SMPLBodyModel().double()


def to_double(params: dict) -> dict:
    return {k: v.double() for k, v in params.items()}


def test_meshes_agree_with_smplx(double_body, params):
    lbs = pytest.importorskip('smplx.lbs').lbs
    arrays = {
        k: torch.from_numpy(v).double()
        for k, v in load_embedded_body().items()
        if v.dtype.kind == 'f'
    }
    p = to_double(params)
    vertices, joints = lbs(
        p['betas'],
        torch.cat([p['global_orient'], p['body_pose']], 1),
        arrays['v_template'],
        arrays['shapedirs'],
        arrays['posedirs'].flatten(0, 1).T,
        arrays['J_regressor'],
        torch.tensor(double_body.parents),
        arrays['weights'],
    )
    out = double_body(**p)
    # smplx adds 1e-8 to every angle; joints differ by float32 products.
    torch.testing.assert_close(
        out.vertices, vertices + p['transl'][:, None], atol=1e-6, rtol=0
    )
    torch.testing.assert_close(
        out.joints, joints + p['transl'][:, None], atol=1e-6, rtol=0
    )


def test_meshes_agree_with_body_models(body, params, tmp_path):
    pytest.importorskip('jaxtyping')
    pytest.importorskip('nanomanifold')
    smpl = pytest.importorskip('body_models.smpl.torch').SMPL
    np.savez(tmp_path / 'body.npz', **load_embedded_body())
    vertices = smpl(model_path=tmp_path / 'body.npz').forward_vertices(
        params['body_pose'].unflatten(1, (23, 3)),
        pelvis_rotation=params['global_orient'],
        shape=params['betas'],
        global_translation=params['transl'],
    )
    torch.testing.assert_close(
        body(**params).vertices, vertices, atol=3e-6, rtol=0
    )


def test_single_precision_is_micrometres_from_double(
    body, double_body, params
):
    out, exact = body(**params), double_body(**to_double(params))
    torch.testing.assert_close(
        out.vertices.double(), exact.vertices, atol=3e-6, rtol=0
    )


def test_zero_parameters_give_the_template(body):
    out = body(torch.zeros(2, 3), torch.zeros(2, 69), torch.zeros(2, 10))
    template = body.v_template.expand(2, -1, -1)
    torch.testing.assert_close(out.vertices, template, atol=1e-6, rtol=0)
    torch.testing.assert_close(
        out.joints, body.regress_joints(template, 'smpl24'), atol=1e-6, rtol=0
    )


def test_matrices_and_axis_angles_give_the_same_mesh(body, params):
    turned = body(
        axis_angle_to_matrix(params['global_orient'])[:, None],
        axis_angle_to_matrix(params['body_pose'].unflatten(1, (23, 3))),
        params['betas'],
        params['transl'],
        pose_format='matrix',
    )
    torch.testing.assert_close(turned.vertices, body(**params).vertices)


def test_root_rotation_turns_the_mesh_about_the_pelvis(double_body, params):
    p = to_double(params)
    upright = double_body(
        torch.zeros_like(p['global_orient']), p['body_pose'], p['betas']
    )
    pelvis = upright.joints[:, :1]
    turn = axis_angle_to_matrix(p['global_orient'])
    expected = (upright.vertices - pelvis) @ turn.transpose(1, 2) + pelvis
    turned = double_body(p['global_orient'], p['body_pose'], p['betas'])
    torch.testing.assert_close(turned.vertices, expected)


def test_translation_moves_mesh_and_joints_alike(double_body, params):
    p = to_double(params)
    moved = double_body(**p)
    still = double_body(p['global_orient'], p['body_pose'], p['betas'])
    for after, before in zip(moved, still):
        torch.testing.assert_close(after, before + p['transl'][:, None])


def test_a_sample_does_not_depend_on_its_batch(double_body, params):
    p = to_double(params)
    alone = double_body(**{k: v[1:2] for k, v in p.items()})
    torch.testing.assert_close(alone.vertices, double_body(**p).vertices[1:2])


def test_an_empty_batch_gives_an_empty_mesh(body):
    out = body(torch.zeros(0, 3), torch.zeros(0, 69), torch.zeros(0, 10))
    assert out.vertices.shape == (0, body.num_vertices, 3)
    assert out.joints.shape == (0, 24, 3)


def test_gradients_are_right_also_at_zero_rotation(double_body):
    few = double_body.at_vertices(torch.tensor([0, 2000, 5000]))
    generator = torch.Generator().manual_seed(1)
    pose = 0.3 * torch.randn(1, 69, generator=generator).double()
    pose[:, :9] = 0
    inputs = [
        torch.zeros(1, 3).double(),
        pose,
        torch.ones(1, 10).double(),
        torch.zeros(1, 3).double(),
    ]
    for value in inputs:
        value.requires_grad_()
    assert torch.autograd.gradcheck(lambda *p: tuple(few(*p)), inputs)


def test_autocast_does_not_coarsen_the_mesh(body, params):
    with torch.autocast('cpu', dtype=torch.bfloat16):
        inside = body(**params)
        joints = body.regress_joints(inside.vertices, 'h36m14')
    outside = body(**params)
    torch.testing.assert_close(inside.vertices, outside.vertices)
    torch.testing.assert_close(
        joints, body.regress_joints(outside.vertices, 'h36m14')
    )


def test_some_vertices_are_where_they_are_in_the_whole_body(body, params):
    ids = torch.arange(0, body.num_vertices, 97)
    few, whole = body.at_vertices(ids)(**params), body(**params)
    torch.testing.assert_close(few.vertices, whole.vertices[:, ids])
    torch.testing.assert_close(few.joints, whole.joints)
    assert body.faces.max() < body.num_vertices  # the body is left alone


def test_a_checkpoint_holds_no_body(body):
    assert not body.state_dict()
    assert not list(body.parameters())


def test_a_copy_is_independent(body):
    other = copy.deepcopy(body)
    other.v_template.zero_()
    assert body.v_template.abs().max() > 0.5


def test_the_registry_builds_it():
    body = MODELS.build(dict(type='mmd2a.SMPLBodyModel', num_betas=4))
    out = body(torch.zeros(1, 3), torch.zeros(1, 69), torch.zeros(1, 4))
    assert out.vertices.shape == (1, body.num_vertices, 3)


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(body_pose=torch.zeros(3, 72)), r'body_pose.*\(B, 69\)'),
        (
            dict(global_orient=torch.zeros(3, 1, 3, 3)),
            r'global_orient.*\(B, 3\)',
        ),
        (dict(betas=torch.zeros(3, 16)), r'betas.*\(3, 10\)'),
        (dict(transl=torch.zeros(1, 3)), r'transl.*\(3, 3\)'),
        (dict(pose_format='quaternion'), "'axis_angle' or 'matrix'"),
        (dict(jaw_pose=torch.zeros(3, 3)), 'jaw_pose.*SMPL bodies do not'),
        (dict(expression=torch.zeros(3, 10)), 'expression.*lacks'),
    ],
)
def test_wrong_input_is_named(body, params, change, message):
    with pytest.raises(ValueError, match=message):
        body(**{**params, **change})


def test_regressors_of_other_bodies_fail_loudly(body):
    assert body.num_vertices != 6890
    with pytest.raises(ValueError, match='for this body'):
        body.regress_joints(torch.zeros(1, 6890, 3), 'h36m14')
    with pytest.raises(KeyError, match='known sets: smpl24'):
        body.regress_joints(body.v_template[None], 'h36m15')


def test_a_regressor_hash_names_the_content(body):
    hashes = {body.regressor_hash(name) for name in body.joint_sets}
    assert len(hashes) == 3
    assert all(len(h) == 8 and int(h, 16) >= 0 for h in hashes)
    assert copy.deepcopy(body).double().regressor_hash('h36m14') in hashes
