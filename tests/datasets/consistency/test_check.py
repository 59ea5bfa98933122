"""Usual mistakes in labels are found and named; good labels are not."""

import re

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mmd2a.body_models import JOINT_SETS, flip_pairs, joint_names
from mmd2a.datasets import SyntheticPeople
from mmd2a.datasets.consistency import check_labels, labelled_person
from mmd2a.datasets.transforms import LoadFrame

NUMBER = 16


@pytest.fixture(scope='module')
def people(tmp_path_factory):
    """Entries of synthetic people, with their pictures."""
    folder = tmp_path_factory.mktemp('people')
    sets = {}
    for joint_set in ('h36m14', 'coco17', 'smpl24'):
        data = SyntheticPeople(
            str(folder),
            split='test',
            num_people=NUMBER,
            image_size=96,
            shard_size=NUMBER,
            joint_set=joint_set,
            num_workers=1,
        )
        load = LoadFrame()
        entries = [data.get_data_info(i) for i in range(NUMBER)]
        sets[joint_set] = [(e, load(dict(e))) for e in entries]
    return sets


@pytest.fixture
def check(people, body):
    """``check(change, joint_set)``: findings after a change of entries."""

    def run(change=None, joint_set='h36m14'):
        found = []
        for entry, frame in people[joint_set]:
            entry, frame = dict(entry), dict(frame)
            if change is not None:
                change(entry, frame)
            found.append(labelled_person(entry, body, frame))
        return check_labels(found)

    return run


@pytest.mark.parametrize('joint_set', ['h36m14', 'coco17', 'smpl24'])
def test_good_labels_agree(check, joint_set):
    for finding in check(joint_set=joint_set):
        assert finding.problem is None, str(finding)
        assert finding.number > NUMBER // 2, str(finding)
        assert str(finding).startswith('ok')


def times(key, factor):
    def change(entry, frame):
        entry[key] = np.asarray(entry[key]) * factor

    return change


def turned(entry, frame):
    world = Rotation.from_euler('xyz', [100, 20, 70], degrees=True)
    entry['keypoints3d'] = entry['keypoints3d'] @ world.as_matrix().T


def axes(*signs):
    return times('keypoints3d', np.array(signs))


def swapped_sides(key):
    def change(entry, frame):
        order = np.arange(len(entry[key]))
        for left, right in flip_pairs(entry['joint_set']):
            order[[left, right]] = right, left
        entry[key] = entry[key][order]

    return change


def other_order(entry, frame):
    """The 17 of COCO are said to be those of Human3.6M."""
    entry['joint_set'] = 'h36m17'


def shuffled(entry, frame):
    order = np.random.default_rng(0).permutation(14)
    entry['keypoints3d'] = entry['keypoints3d'][order]


def xywh(entry, frame):
    box = entry['bbox'].copy()
    box[2:] -= box[:2]
    entry['bbox'] = box


def shares(entry, frame):
    entry['keypoints2d'] = entry['keypoints2d'] / 96


def swapped_pixels(entry, frame):
    entry['keypoints2d'] = entry['keypoints2d'][:, ::-1]


def inverted_mask(entry, frame):
    frame['mask'] = 255 - frame['mask']


def mirrored_mask(entry, frame):
    frame['mask'] = frame['mask'][:, ::-1]


def other_mask(entry, frame):
    frame['mask'] = np.roll(frame['mask'], 48, axis=1)


def opengl_body(entry, frame):
    """Parameters of a world whose y is up, and a camera that is not."""
    turn = Rotation.from_euler('x', 180, degrees=True)
    root = Rotation.from_rotvec(entry['global_orient'])
    entry['global_orient'] = (turn * root).as_rotvec()


def millimetre_depth(entry, frame):
    frame['depth'] = frame['depth'] * 1000


def disparity(entry, frame):
    frame['depth'] = 1 / frame['depth']


def other_camera(entry, frame):
    entry['K'] = entry['K'] * np.array([[3.0], [3], [1]])


MISTAKES = {
    'millimetres': (
        times('keypoints3d', 1000.0),
        'unit of keypoints3d',
        'millimetres.*1000',
    ),
    'centimetres': (
        times('keypoints3d', 100.0),
        'unit of keypoints3d',
        'centimetres',
    ),
    'degrees': (
        times('body_pose', 180 / np.pi),
        'unit of body_pose',
        'pi / 180',
    ),
    'y and z': (axes(1, -1, -1), 'keypoints3d on keypoints2d', 'OpenGL'),
    'only z': (axes(1, 1, -1), 'handedness of keypoints3d', 'mirror'),
    'only x': (axes(-1, 1, 1), 'handedness of keypoints3d', 'mirror'),
    'only y': (axes(1, -1, 1), 'handedness of keypoints3d', 'mirror'),
    'x is mirrored': (
        axes(-1, 1, 1),
        'keypoints3d on keypoints2d',
        'x is mirrored|left and right',
    ),
    'the world': (turned, 'keypoints3d on keypoints2d', 'extrinsics'),
    'left and right in 3-D': (
        swapped_sides('keypoints3d'),
        'handedness of keypoints3d',
        'left and right',
    ),
    'left and right in 2-D': (
        swapped_sides('keypoints2d'),
        'keypoints3d on keypoints2d',
        'left and right',
    ),
    'shuffled': (shuffled, 'keypoints3d on keypoints2d', 'order of joints'),
    'box is xywh': (xywh, 'keypoints2d in bbox', 'width and height'),
    'shares': (shares, 'keypoints2d in bbox', 'shares of the picture'),
    'rows first': (
        swapped_pixels,
        'keypoints3d on keypoints2d',
        'x and y are swapped',
    ),
    'inverted mask': (inverted_mask, 'keypoints2d on the mask', 'inverted'),
    'mirrored mask': (mirrored_mask, 'keypoints2d on the mask', 'mirrored'),
    'the mask of somebody else': (
        other_mask,
        'keypoints2d on the mask',
        'mask of this person',
    ),
    'body of OpenGL': (opengl_body, 'body on keypoints2d', 'OpenGL'),
    'body apart from joints': (opengl_body, 'body on keypoints3d', 'mm'),
    'depth in mm': (
        millimetre_depth,
        'depth under keypoints3d',
        'millimetres',
    ),
    'disparity': (disparity, 'depth under keypoints3d', 'disparity'),
    'another camera': (
        other_camera,
        'K and keypoints3d on keypoints2d',
        'K is not',
    ),
}


@pytest.mark.parametrize('name', MISTAKES)
def test_a_mistake_is_named(check, name):
    change, where, told = MISTAKES[name]
    [finding] = [f for f in check(change) if f.name == where]
    assert finding.problem is not None
    text = str(finding)
    assert text.startswith('SUSPECT') and 'To fix' in text
    assert re.search(told, text), text


def test_joints_of_another_order_are_named(check):
    findings = {f.name: f for f in check(other_order, 'coco17')}
    for key in ('keypoints2d', 'keypoints3d'):
        finding = findings[f'order of {key}']
        assert "'coco17'" in str(finding.problem), str(finding)
    assert "joint_set='coco17'" in str(finding.fix)


@pytest.mark.parametrize(
    'key, untouched',
    [('keypoints2d', 'unit of'), ('keypoints3d', 'keypoints2d in')],
)
def test_labels_that_are_not_there_are_not_judged(check, key, untouched):
    def without(entry, frame):
        del entry[key]

    for finding in check(without):
        assert finding.problem is None
        if key in finding.name and 'body' not in finding.name:
            assert finding.number == 0, str(finding)
        if finding.name.startswith(untouched):
            assert finding.number == NUMBER


def test_single_odd_people_are_no_mistake_of_the_data_set(check):
    calls = []

    def few(entry, frame):
        calls.append(0)
        if len(calls) % 5 == 0:
            axes(1, -1, -1)(entry, frame)
            inverted_mask(entry, frame)

    assert all(finding.problem is None for finding in check(few))


def test_every_set_is_the_best_order_of_its_own_bones(body):
    """No set is taken for another where people stand at ease."""
    from mmd2a.datasets.consistency.anatomy import bone_length, sets_of_size

    vertices = body.v_template[None]
    for joint_set in ('h36m14', 'coco17', 'smpl24'):
        joints = body.regress_joints(vertices, joint_set)[0].numpy()
        own = bone_length(joints, joint_set)
        number = len(joint_names(joint_set))
        for other in sets_of_size(number):
            if JOINT_SETS[other] != JOINT_SETS[joint_set]:
                assert bone_length(joints, other) > own
