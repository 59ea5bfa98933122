"""A BVH, evaluated by its definition, has the joints of the body."""

import os

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from mmd2a.apis.result_files import opencv_to_y_up, write_bvh
from mmd2a.body_models import joint_names
from mmd2a.geometry.rotations import axis_angle_to_matrix
from mmd2a.people.motion_files import read_bvh

CMU = (
    'Hips LeftUpLeg RightUpLeg LowerBack LeftLeg RightLeg Spine LeftFoot '
    'RightFoot Spine1 LeftToeBase RightToeBase Neck LeftShoulder '
    'RightShoulder Head LeftArm RightArm LeftForeArm RightForeArm LeftHand '
    'RightHand LeftFingers RightFingers'
).split()
AXES = dict(X=[1, 0, 0], Y=[0, 1, 0], Z=[0, 0, 1])


def evaluate(text):
    """{joint: places (T, 3)} and seconds per frame, token by token."""
    words = iter(text.split())
    columns, places = [], {}

    def need(word):
        assert next(words) == word

    def offset():
        need('OFFSET')
        return np.array([float(next(words)) for _ in range(3)])

    def joint(name, parent):
        need('{')
        node = dict(name=name, offset=offset(), children=[], channels=[])
        need('CHANNELS')
        for _ in range(int(next(words))):
            node['channels'].append((next(words), len(columns)))
            columns.append(name)
        for word in words:
            if word == '}':
                return node
            if word == 'JOINT':
                node['children'].append(joint(next(words), name))
            else:
                assert word == 'End'
                need('Site')
                need('{')
                node['end'] = offset()
                need('}')

    need('HIERARCHY')
    need('ROOT')
    root = joint(next(words), None)
    need('MOTION')
    need('Frames:')
    frames = int(next(words))
    need('Frame')
    need('Time:')
    seconds = float(next(words))
    values = np.array(list(words), float).reshape(frames, len(columns))

    def walk(node, turns, origin):
        place = origin + turns.apply(np.tile(node['offset'], (frames, 1)))
        for channel, column in node['channels']:
            axis, value = AXES[channel[0]], values[:, column, None]
            if channel.endswith('position'):
                place = place + value * axis
            else:
                turns = turns * Rotation.from_rotvec(np.radians(value) * axis)
        places[node['name']] = place
        if 'end' in node:
            places[f'{node["name"]} end'] = place + turns.apply(
                np.tile(node['end'], (frames, 1))
            )
        for child in node['children']:
            walk(child, turns, place)

    walk(root, Rotation.identity(frames), np.zeros((frames, 3)))
    return places, seconds, values


@pytest.mark.parametrize('unit, size', [('cm', 100), ('m', 1)])
def test_joints_are_those_of_the_body(unit, size, body, motion, tmp_path):
    path = tmp_path / 'person.bvh'
    write_bvh(path, body, **motion.given, fps=29.97, unit=unit)
    places, seconds, _ = evaluate(path.read_text())
    assert seconds == pytest.approx(1 / 29.97, rel=1e-7)
    joints = np.stack([places[n] for n in joint_names('smpl24')], 1) / size
    distance = np.linalg.norm(opencv_to_y_up(joints) - motion.joints, axis=-1)
    assert distance.max() < 1e-4
    assert os.listdir(tmp_path) == ['person.bvh']


def test_limbs_end_in_their_skin(body, tmp_path):
    path = tmp_path / 'person.bvh'
    still = torch.zeros(1, 3), torch.zeros(1, 69), torch.zeros(10)
    write_bvh(path, body, *still, unit='m')
    places, *_ = evaluate(path.read_text())
    ends = {name for name in places if name.endswith(' end')}
    assert ends == {
        f'{name} end'
        for name in ('head', 'left_foot', 'right_foot', 'left_hand',
                     'right_hand')
    }  # fmt: skip
    for name in ends:
        way = places[name] - places[name.removesuffix(' end')]
        assert 0.01 < np.linalg.norm(way) < 0.2
    # Upside down before the camera: SMPL rests with y up, OpenCV has y down.
    assert (places['head end'] < places['head'])[0, 1]


def test_our_own_reader_finds_the_poses(body, motion, tmp_path):
    """By the names of CMU; it knows no fingers, and bones of betas 0."""
    path = tmp_path / 'person.bvh'
    given = dict(motion.given, betas=torch.zeros(10))
    write_bvh(path, body, **given, joint_names=CMU)
    found = axis_angle_to_matrix(torch.from_numpy(read_bvh(path)))
    pose = torch.cat([given['global_orient'], given['body_pose']], 1)
    expected = axis_angle_to_matrix(pose.unflatten(1, (-1, 3)))
    expected[:, 0] = torch.tensor([1.0, -1, -1])[:, None] * expected[:, 0]
    torch.testing.assert_close(
        found[:, :22], expected[:, :22], atol=1e-5, rtol=0
    )


def test_angles_do_not_jump(body, tmp_path):
    turns = torch.arange(25) * torch.pi / 6
    path = tmp_path / 'person.bvh'
    write_bvh(
        path,
        body,
        turns[:, None] * torch.tensor([[0.0, 1, 0]]),
        torch.zeros(25, 69),
        torch.zeros(10),
    )
    *_, values = evaluate(path.read_text())
    assert np.abs(np.diff(values[:, 3:], axis=0)).max() < 31


@pytest.mark.parametrize(
    'changes, told',
    [
        (dict(path='person.txt'), r'name it .*person\.bvh'),
        (dict(unit='inch'), "expected 'cm' or 'm'"),
        (dict(joint_names=['a'] * 24), '24 different names'),
        (dict(joint_names=['left hip', *CMU[1:]]), 'without blanks'),
        (dict(fps=-1), 'frames in a second'),
        (dict(betas=torch.zeros(1, 10)), 'one skeleton'),
        (dict(body_pose=torch.full((5, 69), torch.nan)), 'not finite'),
    ],
)
def test_what_cannot_be_written_is_refused(
    changes, told, body, motion, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    given = dict(dict(motion.given, path='person.bvh', body=body), **changes)
    with pytest.raises(ValueError, match=told):
        write_bvh(**given)
    assert not os.listdir(tmp_path)
