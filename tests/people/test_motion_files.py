"""Users' own motions are read as the poses they hold."""

import pickle
import re

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mmd2a.body_models.joint_sets import SMPL_PARENTS
from mmd2a.people import motion_files
from mmd2a.people.angles import angles_to_rotations
from mmd2a.people.bvh_files import _CMU, _SMPL
from mmd2a.people.collisions import joint_positions, rest_joints
from mmd2a.people.motion_files import (
    check_motions,
    frames_of_split,
    list_motion_files,
    read_amass,
    read_bvh,
    read_motions,
    read_split,
)
from mmd2a.people.poses import sample_limits

HANGING = {
    'left': Rotation.from_euler('z', -90, degrees=True),
    'right': Rotation.from_euler('z', 90, degrees=True),
}
ARM = ('shoulder', 'elbow', 'wrist', 'hand')


def some_poses(number=6):
    rng = np.random.default_rng(3)
    return np.stack(
        [
            Rotation.from_matrix(
                angles_to_rotations(sample_limits(rng))
            ).as_rotvec()
            for _ in range(number)
        ]
    )


def rest_turn(name):
    """How a skeleton with hanging arms differs at rest."""
    side, _, joint = name.partition('_')
    return HANGING[side] if joint in ARM else Rotation.identity()


def write_bvh(path, poses):
    """A BVH writer, independent of the reader: CMU names, hanging arms."""
    rest, lines, order = rest_joints(), ['HIERARCHY'], []

    def emit(i):
        name, parent = _SMPL[i], SMPL_PARENTS[i]
        offset = (
            np.zeros(3)
            if i == 0
            else rest_turn(_SMPL[parent]).apply(rest[i] - rest[parent])
        )
        lines.append(('ROOT ' if i == 0 else 'JOINT ') + _CMU.get(name, name))
        lines.append('{')
        lines.append('OFFSET ' + ' '.join(f'{100 * x:.6f}' for x in offset))
        lines.append(
            'CHANNELS '
            + ('6 Xposition Yposition Zposition ' if i == 0 else '3 ')
            + 'Zrotation Yrotation Xrotation'
        )
        order.append(i)
        children = [k for k in range(24) if SMPL_PARENTS[k] == i]
        for child in children:
            emit(child)
        if not children:
            lines.extend(['End Site', '{', 'OFFSET 0 1 0', '}'])
        lines.append('}')

    emit(0)
    lines += ['MOTION', f'Frames: {len(poses)}', 'Frame Time: 0.0333']
    for pose in poses:
        world, row = {}, ['0', '90', '0']
        for i in order:
            local = Rotation.from_rotvec(pose[i])
            world[i] = local if i == 0 else world[SMPL_PARENTS[i]] * local
        bvh = {i: world[i] * rest_turn(_SMPL[i]).inv() for i in order}
        for i in order:
            local = bvh[i] if i == 0 else bvh[SMPL_PARENTS[i]].inv() * bvh[i]
            row += [f'{a:.6f}' for a in local.as_euler('ZYX', degrees=True)]
        lines.append(' '.join(row))
    path.write_text('\n'.join(lines) + '\n')


def test_bvh_round_trip_moves_no_joint_by_a_tenth_of_a_millimetre(tmp_path):
    poses = some_poses()
    write_bvh(tmp_path / 'a.bvh', poses)
    read = read_bvh(tmp_path / 'a.bvh')
    for pose, back in zip(poses, read):
        expected, found = (
            joint_positions(Rotation.from_rotvec(p).as_matrix())[:22]
            for p in (pose, back)
        )
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize('width', [72, 156])
def test_amass_stands_up(tmp_path, width):
    poses = some_poses(4)
    flat = np.zeros((4, width))
    z_up = poses.copy()
    z_up[:, 0] = (
        Rotation.from_euler('x', 90, degrees=True)
        * Rotation.from_rotvec(poses[:, 0])
    ).as_rotvec()
    flat[:, :66] = z_up[:, :22].reshape(4, 66)
    np.savez(tmp_path / 'a.npz', poses=flat)
    np.testing.assert_allclose(
        read_amass(tmp_path / 'a.npz')[:, :22], poses[:, :22], atol=1e-9
    )


def test_splits_share_no_frame():
    clip = np.arange(100.0)[:, None, None] * np.ones((1, 24, 3))
    frames = {
        s: set(frames_of_split([clip, clip + 1000], s)[:, 0, 0])
        for s in ('train', 'val', 'test')
    }
    assert [len(f) for f in frames.values()] == [160, 20, 20]
    assert not frames['train'] & (frames['val'] | frames['test'])


@pytest.mark.parametrize(
    'name, write, message',
    [
        (
            'a.npz',
            lambda p: np.savez(p, trans=np.zeros(3)),
            'no array "poses"',
        ),
        ('a.npz', lambda p: np.savez(p, poses=np.zeros((2, 9))), 'shape'),
        (
            'a.npz',
            lambda p: np.savez(p, poses=np.full((2, 72), np.nan)),
            'finite',
        ),
        (
            'a.bvh',
            lambda p: p.write_text('HIERARCHY\nMOTION\n'),
            'readable BVH',
        ),
        ('a.bvh', lambda p: p.write_text('no motion at all'), 'readable BVH'),
        (
            'a.npz',
            lambda p: p.write_bytes(pickle.dumps([1])),
            'no npz archive',
        ),
        (
            'a.npz',
            lambda p: np.savez(p, poses=np.array([{}], object)),
            'pickled objects',
        ),
        ('a.npz', lambda p: np.savez(p, poses=np.zeros((0, 72))), 'no frames'),
        (
            'a.npz',
            lambda p: np.savez(p, poses=np.full((2, 72), 90.0)),
            'no radians',
        ),
    ],
)
def test_a_broken_file_is_named(tmp_path, name, write, message):
    write(tmp_path / name)
    with pytest.raises(ValueError, match=message) as error:
        read_motions(str(tmp_path / name))
    assert name in str(error.value)


@pytest.mark.parametrize(
    'old, new, message',
    [
        (r'\S+$', 'nan', 'not finite, or no degrees'),
        (r'\S+$', '1e300', 'not finite, or no degrees'),
        (r' \S+$', '', '73 values|values in frame 5 for'),
        (r'OFFSET \S+', 'OFFSET inf', 'no finite offset'),
        ('Zrotation', 'Wrotation', 'no proper channels'),
        ('Yrotation', 'Zrotation', 'one axis twice'),
        ('JOINT LeftHand', 'JOINT Tail', 'no joint LeftHand'),
        ('JOINT LeftUpLeg', 'JOINT', 'its hierarchy'),
    ],
)
def test_a_damaged_bvh_names_its_file(tmp_path, old, new, message):
    path = tmp_path / 'walk.bvh'
    write_bvh(path, some_poses())
    path.write_text(re.sub(old, new, path.read_text().rstrip(), count=1))
    with pytest.raises(ValueError, match=message) as error:
        read_motions(str(path))
    assert 'walk.bvh' in str(error.value) and 'To fix' in str(error.value)


def test_no_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere'):
        read_motions(str(tmp_path / 'nowhere'))
    with pytest.raises(FileNotFoundError, match='no .bvh or .npz'):
        read_motions(str(tmp_path))


def test_a_folder_as_amass_ships_it_is_read(tmp_path):
    """Shapes lie beside the motions; only the motions are taken."""
    for name in ('shape', 'a_stagei'):
        np.savez(tmp_path / f'{name}.npz', betas=np.zeros(16))
    with pytest.raises(FileNotFoundError, match='2 .npz without'):
        list_motion_files(str(tmp_path))
    np.savez(tmp_path / 'a_poses.npz', poses=np.zeros((20, 156)))
    assert [f.name for f in list_motion_files(tmp_path)] == ['a_poses.npz']
    assert len(read_motions(str(tmp_path))) == 1
    with pytest.raises(ValueError, match='no array "poses"'):
        read_motions(str(tmp_path / 'shape.npz'))


def test_skipped_files_are_counted_once_in_the_log(tmp_path, monkeypatch):
    messages = []
    monkeypatch.setattr(
        motion_files,
        'print_log',
        lambda message, **_: messages.append(message),
    )
    np.savez(tmp_path / 'shape.npz', betas=np.zeros(16))
    np.savez(tmp_path / 'a_poses.npz', poses=np.zeros((20, 156)))
    check_motions(str(tmp_path), 'test')
    read_split(str(tmp_path), 'test')
    assert len(messages) == 1 and messages[0].startswith('1 .npz')


def test_a_damaged_file_in_a_folder_is_no_mere_shape(tmp_path):
    (tmp_path / 'a.npz').write_bytes(b'PK truncated')
    assert len(list_motion_files(tmp_path)) == 1


def test_clips_too_short_for_a_split_are_named(tmp_path):
    for i in range(8):
        np.savez(tmp_path / f'{i}.npz', poses=np.zeros((9, 72)))
    for read in (read_split, check_motions):
        with pytest.raises(ValueError, match='at least 10 frames') as error:
            read(str(tmp_path), 'test')
        assert '0.npz' in str(error.value) and '3 more' in str(error.value)
    assert len(read_split(str(tmp_path), 'train')) == 64
    np.savez(tmp_path / '8.npz', poses=np.zeros((10, 72)))
    assert len(read_split(str(tmp_path), 'test')) == 1
