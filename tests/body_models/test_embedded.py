"""The body that comes with the package: sound, symmetric, human."""

import numpy as np
import pytest
import torch
import trimesh

from mmd2a.body_models import (
    EMBEDDED_BODY_PATH,
    JOINT_SETS,
    flip_pairs,
    load_embedded_body,
    mirror_pose,
)

MIRROR = np.array([-1.0, 1.0, 1.0])


@pytest.fixture(scope='module')
def arrays():
    return load_embedded_body()


def test_the_file_is_small_and_free_of_pickles():
    assert EMBEDDED_BODY_PATH.stat().st_size < 1.5e6
    with np.load(EMBEDDED_BODY_PATH, allow_pickle=False) as file:
        assert all(file[key].dtype.kind in 'fiu' for key in file.files)
        assert file['format_version'] == 1


@pytest.mark.parametrize(
    'key', ['weights', 'J_regressor', 'h36m14_regressor', 'coco17_regressor']
)
def test_rows_are_affine_combinations(arrays, key):
    assert arrays[key].min() >= 0
    np.testing.assert_allclose(
        arrays[key].sum(1, dtype=np.float64), 1, atol=1e-6
    )


def test_the_mesh_is_closed(arrays):
    mesh = trimesh.Trimesh(arrays['v_template'], arrays['f'], process=False)
    assert mesh.is_watertight
    assert 0.05 < mesh.volume < 0.1  # 50 to 100 litres, outward normals


def test_the_body_stands_as_smpl_does(body):
    joints = body.regress_joints(body.v_template[None], 'smpl24')[0]
    name = {n: joints[i] for i, n in enumerate(JOINT_SETS['smpl24'])}
    assert name['pelvis'].norm() < 0.01
    assert name['left_hip'][0] > 0 > name['right_hip'][0]
    assert name['head'][1] > name['neck'][1] > name['left_knee'][1]
    assert name['left_foot'][2] > name['left_ankle'][2] + 0.05
    arm = name['left_wrist'] - name['left_shoulder']
    assert arm[0] > 0.99 * arm.norm()
    height = body.v_template[:, 1].max() - body.v_template[:, 1].min()
    assert 1.5 < height < 1.9


def test_template_shapes_and_regressors_are_symmetric(arrays):
    mirror = arrays['mirror_vertices'].astype(int)
    assert (mirror[mirror] == np.arange(len(mirror))).all()
    template, shapes = arrays['v_template'], arrays['shapedirs']
    np.testing.assert_allclose(template[mirror] * MIRROR, template, atol=2e-5)
    np.testing.assert_allclose(
        shapes[mirror] * MIRROR[:, None], shapes, atol=2e-5
    )
    for joint_set, key in (
        ('smpl24', 'J_regressor'),
        ('h36m14', 'h36m14_regressor'),
        ('coco17', 'coco17_regressor'),
    ):
        order = np.arange(len(JOINT_SETS[joint_set]))
        for left, right in flip_pairs(joint_set):
            order[[left, right]] = right, left
        np.testing.assert_allclose(
            arrays[key][order][:, mirror], arrays[key], atol=1e-4
        )


def test_a_mirrored_pose_gives_the_mirrored_mesh(body, arrays):
    generator = torch.Generator().manual_seed(0)
    pose = 0.4 * torch.randn(2, 24, 3, generator=generator)
    betas = torch.randn(2, 10, generator=generator)
    out = body(pose[:, 0], pose[:, 1:].flatten(1), betas)
    other = mirror_pose(pose)
    mirrored = body(other[:, 0], other[:, 1:].flatten(1), betas)
    ids = torch.from_numpy(arrays['mirror_vertices'].astype(np.int64))
    expected = out.vertices[:, ids] * torch.tensor([-1.0, 1.0, 1.0])
    # Storage in half precision leaves tenths of a millimetre.
    torch.testing.assert_close(mirrored.vertices, expected, atol=5e-4, rtol=0)


def test_posed_meshes_tell_the_skeleton(body):
    """Limb joints read from the skin stay within 3 cm of the skeleton's."""
    generator = torch.Generator().manual_seed(0)
    out = body(
        torch.zeros(8, 3),
        0.25 * torch.randn(8, 69, generator=generator),
        torch.randn(8, 10, generator=generator),
    )
    read = body.regress_joints(out.vertices, 'h36m14')
    smpl = JOINT_SETS['smpl24']
    errors = []
    for i, name in enumerate(JOINT_SETS['h36m14'][:-1]):
        gap = (read[:, i] - out.joints[:, smpl.index(name)]).norm(dim=1)
        errors.append(gap)
    assert torch.stack(errors).mean() < 0.01
    assert torch.stack(errors).max() < 0.03


def test_face_points_of_coco_lie_on_the_head(body):
    points = body.regress_joints(body.v_template[None], 'coco17')[0]
    nose, left_eye, right_eye, left_ear, right_ear = points[:5]
    top = body.regress_joints(body.v_template[None], 'h36m14')[0, -1]
    assert nose[2] > left_eye[2] > left_ear[2]
    assert left_ear[0] > left_eye[0] > 0 > right_eye[0] > right_ear[0]
    assert top[1] > left_eye[1] > nose[1]


def test_shape_components_are_standard_deviations_of_people(body):
    """Two standard deviations of the first change height by 10 to 40 cm."""
    betas = torch.zeros(2, 10)
    betas[0, 0], betas[1, 0] = 2, -2
    tall, short = body(torch.zeros(2, 3), torch.zeros(2, 69), betas).vertices
    heights = [float(v[:, 1].max() - v[:, 1].min()) for v in (tall, short)]
    assert 0.2 < heights[0] - heights[1] < 0.8


def test_changing_the_arrays_leaves_the_next_reader_alone(arrays):
    load_embedded_body()['v_template'][:] = 0
    assert np.abs(load_embedded_body()['v_template']).max() > 0.5


def test_texture_coordinates_cover_every_face(arrays):
    assert arrays['uv'].shape == (len(arrays['f']), 3, 2)
    assert np.isfinite(arrays['uv']).all()
