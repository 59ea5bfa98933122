"""Joint sets are mapped by name, as MMHuman3D maps its own."""

import itertools

import numpy as np
import pytest
import torch

from mmd2a.body_models import (
    JOINT_SETS,
    flip_pairs,
    human_data_indices,
    joint_names,
    map_joints,
)
from mmd2a.body_models.joint_sets import joint_places, take_joints

# MMHuman3D's names of the sets. SMPL-X's 55 are the first of its table.
THEIRS = {
    'smpl24': 'smpl',
    'h36m14': 'lsp',
    'lsp14': 'lsp',
    'coco17': 'coco',
    'h36m17': 'h36m_mmpose',
    'h36m17_spin': 'h36m',
    '3dhp17': 'mpi_inf_3dhp_test',
    '3dhp28': 'mpi_inf_3dhp',
    'blazepose33': 'mediapipe_body',
    'body25': 'openpose_25',
    'human_data190': 'human_data',
}
UNIONS = ('h36m14+coco17', 'smpl24+h36m14+body25')


@pytest.mark.parametrize('joint_set', [*JOINT_SETS, *UNIONS])
def test_names_are_unique_and_left_has_its_right(joint_set):
    names = joint_names(joint_set)
    assert len(set(names)) == len(names) == len(set(joint_places(joint_set)))
    sided = [i for pair in flip_pairs(joint_set) for i in pair]
    assert len(set(sided)) == len(sided)
    rest = [name for i, name in enumerate(names) if i not in sided]
    assert not [name for name in rest if name.startswith(('left', 'right'))]


@pytest.mark.parametrize('joint_set', JOINT_SETS)
def test_the_number_in_the_name_is_that_of_the_joints(joint_set):
    digits = joint_set.removesuffix('_spin').removeprefix('3dhp')
    digits = ''.join(c for c in digits.replace('h36m', '') if c.isdigit())
    assert len(joint_names(joint_set)) == int(digits)


@pytest.mark.parametrize('approximate', [False, True])
@pytest.mark.parametrize('source, target', itertools.product(THEIRS, repeat=2))
def test_every_map_is_that_of_mmhuman3d(source, target, approximate):
    pytest.importorskip('mmhuman3d')
    from mmhuman3d.core.conventions.keypoints_mapping import convert_kps

    number = len(joint_names(source))
    points = np.arange(1.0, number + 1).reshape(1, number, 1)
    expected, mask = convert_kps(
        points, THEIRS[source], THEIRS[target], approximate
    )
    found = take_joints(points[0], map_joints(source, target, approximate))
    exact = np.array(map_joints(source, target)) >= 0
    np.testing.assert_array_equal(found[exact], expected[0][exact])
    # Which of several close joints stands in is open.
    np.testing.assert_array_equal(found > 0, expected[0] > 0)
    np.testing.assert_array_equal(found[:, 0] > 0, mask > 0)


@pytest.mark.parametrize('joint_set', THEIRS)
def test_the_way_to_human_data_and_back_is_the_identity(joint_set):
    places = np.array(human_data_indices(joint_set))
    back = np.array(map_joints('human_data190', joint_set))
    np.testing.assert_array_equal(places, back)
    there = np.array(map_joints(joint_set, 'human_data190'))
    np.testing.assert_array_equal(there[places], np.arange(len(places)))


def test_smplx_begins_as_theirs_does():
    pytest.importorskip('mmhuman3d')
    from mmhuman3d.core.conventions.keypoints_mapping import smplx

    assert joint_places('smplx55') == tuple(smplx.SMPLX_KEYPOINTS[:55])
    smplh = joint_places('smplx55')[:22] + joint_places('smplx55')[25:]
    assert joint_places('smplh52') == smplh


def test_wholebody_is_theirs_but_for_the_hips_which_are_those_of_coco():
    pytest.importorskip('mmhuman3d')
    from mmhuman3d.core.conventions.keypoints_mapping import KEYPOINTS_FACTORY

    theirs = KEYPOINTS_FACTORY['coco_wholebody']
    human_data = KEYPOINTS_FACTORY['human_data']
    for place, other, index in zip(
        joint_places('coco133'), theirs, human_data_indices('coco133')
    ):
        assert place == other or place == f'{other}_extra'
        known = other in human_data
        assert index == (human_data.index(other) if known else -1)
    assert map_joints('coco133', 'coco17') == tuple(range(17))


def test_wholebody_mirrors_as_in_mmpose():
    mmpose = pytest.importorskip('mmpose')
    from pathlib import Path

    from mmengine.config import Config

    file = '.mim/configs/_base_/datasets/coco_wholebody.py'
    info = Config.fromfile(Path(mmpose.__file__).parent / file).dataset_info
    ids = {k['name']: k['id'] for k in info['keypoint_info'].values()}
    expected = {
        frozenset((k['id'], ids[k['swap']]))
        for k in info['keypoint_info'].values()
        if k['swap']
    }
    assert {frozenset(pair) for pair in flip_pairs('coco133')} == expected


def test_a_union_has_every_joint_once_and_tells_twins_apart():
    names = joint_names('h36m14+smpl24+coco17')
    assert names[:14] == JOINT_SETS['h36m14']
    assert 'left_hip_smpl24' in names and 'neck_smpl24' in names
    assert 'left_hip_coco17' not in names  # The same as in h36m14.
    for part in ('h36m14', 'smpl24', 'coco17'):
        there = map_joints(part, 'h36m14+smpl24+coco17')
        back = map_joints('h36m14+smpl24+coco17', part)
        assert [there[i] for i in back] == list(range(len(back)))


def test_the_body_reads_a_union_out_as_its_sets(body):
    union = 'h36m14+smpl24+coco17'
    vertices = body.v_template[None] + torch.randn(2, 1, 3)
    joints = body.regress_joints(vertices, union)
    assert joints.shape == (2, len(joint_names(union)), 3)
    for part in ('coco17', 'smpl24', 'h36m14'):
        own = body.regress_joints(vertices, part)
        found = joints[:, list(map_joints(union, part))]
        # Shared joints are those of the set that comes first.
        first = [
            place not in joint_places(earlier)
            for place in joint_places(part)
            for earlier in [union.split('+' + part)[0]]
        ]
        keep = torch.tensor(first) if part != 'h36m14' else slice(None)
        torch.testing.assert_close(found[:, keep], own[:, keep])


def test_unknown_sets_are_told():
    for name in ('h36m15', 'h36m14+', 'h36m14+coco18'):
        with pytest.raises(KeyError, match='known sets: smpl24'):
            joint_names(name)
