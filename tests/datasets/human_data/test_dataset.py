"""HumanDataDataset gives the entries of BodyDataset."""

import logging
import pickle

import numpy as np
import pytest
from mmengine.dataset import ConcatDataset
from mmengine.logging import MMLogger

from mmd2a.body_models import joint_names
from mmd2a.datasets import HumanDataDataset
from mmd2a.datasets.label_layouts import check_entry
from mmd2a.files import UnusableFileError
from mmd2a.registry import DATASETS


@pytest.fixture
def build(dumped, tmp_path):
    """``build(dumping, **settings)``: a data set of a file."""

    def make(*dumping, more=None, compress=True, **settings):
        path = dumped(*dumping, compress=compress, **(more or {}))
        cfg = dict(
            type='mmd2a.HumanDataDataset',
            ann_file=str(path),
            store_root=str(tmp_path / 'stores'),
            **settings,
        )
        return DATASETS.build(cfg)

    return make


@pytest.mark.parametrize('compress', [False, True])
def test_an_entry_is_that_of_a_body_dataset(build, human_data, compress):
    people = build(data_prefix=dict(img_path='imgs'), compress=compress)
    theirs = human_data()
    assert len(people) == 7
    for i in (0, 3, -1):
        entry = people.get_data_info(i)
        i %= 7
        assert entry['img_path'] == f'imgs/S1/{i:03d}.jpg'
        assert entry['sample_idx'] == i
        x, y, w, h, _ = theirs['bbox_xywh'][i]
        np.testing.assert_array_equal(entry['bbox'], [x, y, x + w, y + h])
        for name in ('global_orient', 'body_pose', 'betas', 'transl'):
            value = theirs['smpl'][name][i].reshape(-1)
            np.testing.assert_array_equal(entry[name], value)
        assert entry['gender'] == ('male', 'female', 'neutral')[i % 3]
        assert entry['smpl_weight'] == 1
        check_entry(entry)
    ids = {people.get_data_info(i)['entry_id'] for i in range(7)}
    assert len(ids) == 7


@pytest.mark.parametrize('compress', [False, True])
@pytest.mark.parametrize(
    'convention, joint_set, theirs',
    [
        ('h36m', 'h36m14', 'lsp'),
        ('coco', 'h36m14', 'lsp'),
        ('smpl', 'smpl24', 'smpl'),
        ('openpose_25', 'body25', 'openpose_25'),
        ('coco_wholebody', 'coco133', 'coco_wholebody'),
    ],
)
@pytest.mark.parametrize('approximate', [False, True])
def test_joints_are_those_that_mmhuman3d_gives(
    build, human_data, convention, joint_set, theirs, compress, approximate
):
    from mmhuman3d.core.conventions.keypoints_mapping import convert_kps

    people = build(
        7,
        convention,
        joint_set=joint_set,
        compress=compress,
        approximate_joints=approximate,
    )
    data = human_data(7, convention)
    for name, dims in (('keypoints2d', 2), ('keypoints3d', 3)):
        expected, mask = convert_kps(
            data[name],
            'human_data',
            theirs,
            approximate,
            mask=data[f'{name}_mask'],
        )
        for i in range(7):
            entry = people.get_data_info(i)
            weight = expected[i, :, dims] * mask
            np.testing.assert_array_equal(entry[f'{name}_weight'], weight)
            known = weight > 0
            np.testing.assert_array_equal(
                entry[name][known], expected[i, known, :dims]
            )
            assert (entry[name][~known] == 0).all()


def test_other_conventions_are_read_by_their_name(build):
    points = np.random.default_rng(0).uniform(size=(7, 17, 3))
    more = dict(
        keypoints2d=points,
        keypoints2d_mask=np.ones(17, np.uint8),
        keypoints2d_convention='coco',
    )
    entry = build(more=more, compress=False, joint_set='coco17')
    entry = entry.get_data_info(2)
    np.testing.assert_array_equal(entry['keypoints2d'], points[2, :, :2])
    more['keypoints2d_convention'] = 'of_mars'
    with pytest.raises(UnusableFileError, match=r'of_mars.*convert_kps'):
        build(more=more, compress=False)


def test_a_union_reads_all_joints(build):
    people = build(joint_set='h36m14+3dhp17')
    entry = people.get_data_info(1)
    assert len(entry['keypoints3d']) == len(joint_names('h36m14+3dhp17'))
    assert (entry['keypoints3d_weight'] > 0).all()


def test_subsets_and_wrappers_work(build):
    people = build()
    last = people.get_data_info(6)['img_path']
    assert people.get_subset(-2).get_data_info(1)['img_path'] == last
    picked = people.get_subset([6, 0])
    assert [d['img_path'] for d in (picked.get_data_info(0),)] == [last]
    assert len(build(indices=3)) == 3
    both = ConcatDataset([people, picked])
    assert both.get_data_info(7)['img_path'] == last
    assert both.metainfo['num_keypoints'] == 14


def test_copies_map_the_store_again(build):
    people = build(5000)
    data = pickle.dumps(people)
    # The numbers of rows, and names: no label.
    assert len(data) < 8 * 5000 + 20000
    for copy in (pickle.loads(data), people.get_subset(4500)):
        one, other = people.get_data_info(4000), copy.get_data_info(4000)
        assert one.keys() == other.keys()
        for key in ('keypoints3d', 'body_pose', 'bbox'):
            np.testing.assert_array_equal(one[key], other[key])
        assert isinstance(copy.store.columns['smpl/betas'].base, np.memmap)


def test_has_smpl_is_the_weight_of_the_body(build):
    has = np.array([1, 0, 1, 0, 1, 0, 1])
    people = build(more=dict(has_smpl=has))
    weights = [people.get_data_info(i)['smpl_weight'] for i in range(7)]
    assert weights == has.tolist()


def test_smplx_alone_is_told_and_gives_joints(build):
    found = []

    class Keep(logging.Handler):
        def emit(self, record):
            found.append(record.getMessage())

    logger = MMLogger.get_current_instance()
    handler = Keep()
    logger.addHandler(handler)
    body = dict(
        betas=np.zeros((7, 10)),
        body_pose=np.zeros((7, 21, 3)),
        global_orient=np.zeros((7, 3)),
    )
    try:
        people = build(more=dict(smpl=None, smplx=body))
    finally:
        logger.removeHandler(handler)
    assert any('smplx' in message for message in found)
    entry = people.get_data_info(0)
    assert 'body_pose' not in entry and 'smpl_weight' not in entry
    assert entry['keypoints3d'].shape == (14, 3)


@pytest.mark.parametrize(
    'more, told',
    [
        (dict(bbox_xywh=None), 'bbox_xywh'),
        (dict(keypoints2d_mask=np.ones(17, np.uint8)), 'keypoints2d_mask'),
        (dict(smpl=dict(body_pose=np.zeros((7, 24, 3)))), r'\(7, 69\)'),
        (dict(smpl=dict(betas=np.zeros((3, 10)))), '3 rows of smpl/betas'),
        (dict(image_path=None), 'no image_path'),
    ],
)
def test_what_does_not_fit_is_told(build, more, told):
    with pytest.raises(UnusableFileError, match=told):
        build(more=more, compress=False)


def test_a_path_does_not_leave_its_folder(build):
    people = build(more=dict(image_path=['../../etc/passwd'] * 7))
    with pytest.raises(ValueError, match='leaves its folder'):
        people.get_data_info(0)


def test_no_file_is_told(tmp_path):
    with pytest.raises(UnusableFileError, match='ann_file'):
        HumanDataDataset()
    with pytest.raises(UnusableFileError, match=r'none\.npz'):
        HumanDataDataset(ann_file=str(tmp_path / 'none.npz'))
