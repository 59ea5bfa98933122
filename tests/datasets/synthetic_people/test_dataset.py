"""SyntheticPeople is a data set like any other."""

import cv2
import numpy as np
import pytest

from mmd2a.datasets.synthetic_people import SyntheticPeople

SIZE = 64


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return str(tmp_path_factory.mktemp('people'))


def make(root, **changes):
    return SyntheticPeople(
        root,
        **{
            **dict(num_people=3, image_size=SIZE, shard_size=2, num_workers=1),
            **changes,
        },
    )


def test_entries_have_everything_the_transforms_read(root):
    people = make(root)
    assert len(people) == 3
    for i in range(3):
        entry = people.get_data_info(i)
        assert cv2.imread(entry['img_path']).shape == (SIZE, SIZE, 3)
        depth = np.load(entry['depth_path'])
        assert depth.dtype == np.uint16 and depth.max() > 500
        mask = np.load(entry['mask_path'])
        assert (mask == 255).sum() > 30
        parts = cv2.imread(entry['parts_path'], cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(parts > 0, mask == 255)
        shapes = dict(
            bbox=(4,),
            K=(3, 3),
            global_orient=(3,),
            body_pose=(69,),
            betas=(10,),
            transl=(3,),
            keypoints2d=(14, 2),
            keypoints2d_weight=(14,),
            keypoints3d=(14, 3),
            keypoints3d_weight=(14,),
        )
        for name, shape in shapes.items():
            assert entry[name].shape == shape, name
            assert entry[name].dtype == np.float32, name
        assert entry['smpl_weight'] == 1 and entry['sample_idx'] == i
        assert entry['joint_set'] == 'h36m14'


@pytest.mark.parametrize('joint_set, joints', [('smpl24', 24), ('coco17', 17)])
def test_every_joint_set_comes_from_one_cache(root, joint_set, joints):
    people = make(root, joint_set=joint_set)
    assert people.get_data_info(0)['keypoints2d'].shape == (joints, 2)
    assert len(people.metainfo['joint_names']) == joints
    assert people.metainfo['joint_set'] == joint_set


def test_a_pipeline_and_indices_work_as_in_mmengine(root):
    people = make(root, pipeline=[lambda entry: entry['motion']], indices=2)
    assert len(people) == 2
    assert isinstance(people[1], str)


@pytest.mark.parametrize(
    'change', [dict(joint_set='smpl'), dict(num_people=0)]
)
def test_impossible_wishes_are_refused(root, change):
    with pytest.raises(ValueError, match=next(iter(change))):
        make(root, **change)


def test_user_motions_fill_half_of_the_people(tmp_path):
    np.savez(tmp_path / 'walk.npz', poses=np.zeros((50, 156)))
    people = make(
        str(tmp_path / 'cache'),
        motions=str(tmp_path),
        num_people=8,
        shard_size=8,
    )
    motions = [people.get_data_info(i)['motion'] for i in range(8)]
    assert 1 <= motions.count('file') <= 7
