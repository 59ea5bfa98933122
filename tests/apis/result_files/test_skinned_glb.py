"""A skinned body, posed from its file alone, is the body's own."""

import os

import numpy as np
import pytest
import torch
import trimesh

from mmd2a.apis.result_files import opencv_to_y_up, write_skinned_glb
from mmd2a.apis.result_files.skinning import strongest_influences
from mmd2a.body_models import SMPL_PARENTS, SMPLBodyModel, joint_names
from mmd2a.geometry.rotations import axis_angle_to_matrix


def distances(glb, motion):
    """Farthest vertex and joint of all frames, metres."""
    vertices, joints = zip(*(glb.pose(frame) for frame in range(5)))
    return (
        np.linalg.norm(
            opencv_to_y_up(vertices) - motion.vertices, axis=-1
        ).max(),
        np.linalg.norm(opencv_to_y_up(joints) - motion.joints, axis=-1).max(),
    )


@pytest.fixture(scope='module')
def without_pose_shapes():
    """The embedded body with its pose blend shapes off."""
    body = SMPLBodyModel()
    body._pose_planes.zero_()
    return body


def test_with_morph_targets_every_vertex_is_right(
    body, motion, tmp_path, read_glb
):
    path = tmp_path / 'person.glb'
    told = write_skinned_glb(path, body, **motion.given, morph_tolerance=1e-5)
    glb = read_glb(path)
    vertex, joint = distances(glb, motion)
    assert vertex < 1e-4 and joint < 1e-5
    assert told == pytest.approx(vertex, abs=1e-6)
    # No more of them than there are frames.
    assert len(glb.json['meshes'][0]['weights']) <= 5
    assert os.listdir(tmp_path) == ['person.glb']


def test_without_them_joints_are_right_and_the_residual_is_told(
    body, motion, tmp_path, read_glb
):
    path = tmp_path / 'person.glb'
    told = write_skinned_glb(path, body, **motion.given)
    glb = read_glb(path)
    vertex, joint = distances(glb, motion)
    assert joint < 1e-5
    assert told == pytest.approx(vertex, abs=1e-6) and 1e-3 < told < 0.1
    assert 'weights' not in glb.json['meshes'][0]


def test_a_body_without_pose_shapes_needs_none(
    without_pose_shapes, motion, tmp_path, read_glb
):
    body, given = without_pose_shapes, motion.given
    with torch.no_grad():
        posed = body(
            given['global_orient'],
            given['body_pose'],
            given['betas'].expand(5, -1),
            given['transl'],
        ).vertices.double()
    path = tmp_path / 'person.glb'
    for tolerance in (None, 1e-4):
        told = write_skinned_glb(
            path, body, **given, morph_tolerance=tolerance
        )
        glb = read_glb(path)
        assert 'weights' not in glb.json['meshes'][0]
        for frame in range(5):
            found = opencv_to_y_up(glb.pose(frame)[0])
            assert np.abs(found - posed[frame].numpy()).max() < 1e-5
        assert told < 1e-5


def test_a_looser_tolerance_takes_fewer_targets(
    body, motion, tmp_path, read_glb
):
    # Frames of one pose, more or less of it, differ in a few directions.
    share = torch.linspace(0.8, 1, 5)[:, None]
    given = dict(motion.given, body_pose=share * motion.given['body_pose'][:1])
    numbers = []
    for tolerance in (1e-5, 5e-3):
        path = tmp_path / 'person.glb'
        told = write_skinned_glb(
            path, body, **given, morph_tolerance=tolerance
        )
        assert told <= tolerance + 1e-6
        numbers.append(len(read_glb(path).json['meshes'][0]['weights']))
    assert 1 <= numbers[1] < numbers[0] <= 5


def test_four_influences_are_an_approximation_that_is_told(
    without_pose_shapes, motion, tmp_path, read_glb
):
    path = tmp_path / 'person.glb'
    eight = write_skinned_glb(path, without_pose_shapes, **motion.given)
    attributes, _ = read_glb(path).mesh()
    assert 'JOINTS_1' in attributes
    four = write_skinned_glb(
        path, without_pose_shapes, **motion.given, max_influences=4
    )
    attributes, _ = read_glb(path).mesh()
    assert 'JOINTS_1' not in attributes
    assert eight < 1e-5 < four < 0.05
    # A body that needs four has one set, whatever is allowed.
    assert strongest_influences(np.eye(24), 8)[0].shape == (24, 4)
    with pytest.raises(ValueError, match='expected 4 or 8'):
        write_skinned_glb(path, without_pose_shapes, **motion.given,
                          max_influences=6)  # fmt: skip


@pytest.mark.parametrize('fps', [25, 29.97])
def test_every_key_is_at_its_time(fps, body, motion, tmp_path, read_glb):
    path = tmp_path / 'person.glb'
    write_skinned_glb(
        path, body, **motion.given, fps=fps, morph_tolerance=1e-3
    )
    tracks = read_glb(path).animation()
    for times, _ in tracks.values():
        np.testing.assert_allclose(times, np.arange(5) / fps, rtol=1e-6)
    paths = [path for _, path in tracks]
    assert paths.count('rotation') == 24
    assert paths.count('translation') == paths.count('weights') == 1


def test_rotations_take_the_short_way_between_keys(body, tmp_path, read_glb):
    # Once around in twelve frames: quaternions change their sign on the way.
    angle = torch.arange(13) * torch.pi / 6
    path = tmp_path / 'person.glb'
    write_skinned_glb(
        path,
        body,
        angle[:, None] * torch.tensor([[0.0, 1, 0]]),
        torch.zeros(13, 69),
        torch.zeros(10),
    )
    tracks = read_glb(path).animation()
    for joint in range(24):
        _, values = tracks[joint, 'rotation']
        np.testing.assert_allclose(np.linalg.norm(values, axis=1), 1,
                                   atol=1e-6)  # fmt: skip
        cosine = (values[1:] * values[:-1]).sum(1)
        expected = np.cos(np.pi / 12) if joint == 0 else 1
        np.testing.assert_allclose(cosine, expected, atol=1e-6)


def test_the_skeleton_is_that_of_the_body_at_rest(
    body, motion, tmp_path, read_glb
):
    path = tmp_path / 'person.glb'
    write_skinned_glb(path, body, **motion.given)
    glb = read_glb(path)
    nodes, [skin] = glb.json['nodes'], glb.json['skins']
    assert [nodes[i]['name'] for i in skin['joints']] == list(
        joint_names('smpl24')
    )
    assert 'min' not in glb.json['accessors'][skin['inverseBindMatrices']]
    for joint, parent in enumerate(SMPL_PARENTS[1:], start=1):
        assert joint in nodes[parent]['children']
    with torch.no_grad():
        rest = body(
            torch.zeros(1, 3), torch.zeros(1, 69), motion.given['betas'][None]
        )
    inverse = glb.array(skin['inverseBindMatrices'])
    np.testing.assert_allclose(inverse[:, :3, 3], -rest.joints[0], atol=1e-6)
    np.testing.assert_array_equal(inverse[:, 3], [[0, 0, 0, 1]] * 24)
    # Another reader finds the rest mesh.
    found = trimesh.load(path, force='mesh', process=False)
    np.testing.assert_allclose(found.vertices, rest.vertices[0], atol=1e-6)
    np.testing.assert_array_equal(found.faces, body.faces)


def test_matrices_and_one_frame_are_taken(body, motion, tmp_path):
    given = motion.given
    pose = torch.cat([given['global_orient'], given['body_pose']], 1)
    matrices = axis_angle_to_matrix(pose.unflatten(1, (-1, 3)))[:1]
    write_skinned_glb(
        tmp_path / 'matrix.glb',
        body,
        matrices[:, :1],
        matrices[:, 1:],
        given['betas'].numpy(),
        pose_format='matrix',
    )
    write_skinned_glb(
        tmp_path / 'vector.glb',
        body,
        given['global_orient'][:1],
        given['body_pose'][:1].tolist(),
        given['betas'],
    )
    one, other = (path.read_bytes() for path in sorted(tmp_path.iterdir()))
    assert one == other


def test_matrices_that_are_no_rotations_are_told(body, tmp_path):
    for matrix in (torch.zeros(3, 3), -torch.eye(3), 1.1 * torch.eye(3)):
        pose = torch.eye(3).repeat(2, 23, 1, 1)
        pose[1, 4] = matrix
        with pytest.raises(ValueError, match='joint 5 in frame 1 is no rot'):
            write_skinned_glb(
                tmp_path / 'person.glb',
                body,
                torch.eye(3).expand(2, 1, 3, 3),
                pose,
                torch.zeros(10),
                pose_format='matrix',
            )
    assert not os.listdir(tmp_path)


def test_colours_are_in_the_skin(body, motion, tmp_path, read_glb):
    path = tmp_path / 'person.glb'
    colors = np.full((body.num_vertices, 3), 255, np.uint8)
    write_skinned_glb(path, body, **motion.given, colors=colors)
    assert (read_glb(path).mesh()[0]['COLOR_0'] == 1).all()


@pytest.mark.parametrize(
    'changes, told',
    [
        (dict(betas=torch.zeros(5, 10)), r'expected \(10,\).*one skeleton'),
        (dict(body_pose=torch.zeros(5, 63)), r'expected \(5, 69\)'),
        (dict(body_pose=torch.zeros(4, 69)), r'expected \(5, 69\)'),
        (dict(transl=torch.zeros(3)), r'expected \(5, 3\): one row per'),
        (dict(global_orient=torch.zeros(0, 3)), r'expected \(0, 69\)'),
        (dict(pose_format='quaternion'), "'axis_angle' or 'matrix'"),
        (dict(pose_format='matrix'), r'expected \(5, 1, 3, 3\)'),
        (dict(fps=0), 'frames in a second'),
        (dict(fps=float('nan')), 'frames in a second'),
        (dict(transl=torch.full((5, 3), torch.nan)), 'not finite'),
        (dict(betas=torch.full((10,), torch.inf)), 'betas.*not finite'),
        (dict(morph_tolerance=0), 'metres above 0'),
        (dict(colors=np.zeros((3, 3))), 'one RGB per vertex'),
    ],
)
def test_what_is_no_motion_is_refused_in_a_line(
    changes, told, body, motion, tmp_path
):
    with pytest.raises(ValueError, match=told) as error:
        write_skinned_glb(
            tmp_path / 'person.glb', body, **dict(motion.given, **changes)
        )
    assert '\n' not in str(error.value)
    assert not os.listdir(tmp_path)
