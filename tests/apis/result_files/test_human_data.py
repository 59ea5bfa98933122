"""HumanData of ours is read by MMHuman3D's own classes."""

import io
import os
import pickletools
import zipfile

import numpy as np
import pytest

from mmd2a.apis.result_files import write_human_data
from mmd2a.body_models import human_data_indices, joint_names
from mmd2a.files import UnusableFileError, read_npz


@pytest.fixture
def people():
    """Three people with everything that is written."""
    rng = np.random.default_rng(0)
    return dict(
        image_paths=['a.jpg', 'b/c.jpg', 'd.jpg'],
        bboxes=[[10, 20, 40, 80], [0, 0, 5, 6], [1, 2, 3, 4.5]],
        bbox_scores=[1, 0.5, 0.25],
        smpl=dict(
            global_orient=rng.normal(size=(3, 3)),
            body_pose=rng.normal(size=(3, 69)),
            betas=rng.normal(size=(3, 10)),
            transl=rng.normal(size=(3, 3)),
        ),
        keypoints2d=rng.random((3, 24, 3)),
        keypoints3d=rng.random((3, 24, 4)),
        joint_set='smpl24',
    )


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_its_own_class_reads_it(people, tmp_path):
    pytest.importorskip('mmhuman3d')
    from mmhuman3d.data.data_structures.human_data import HumanData

    path = tmp_path / 'people.npz'
    write_human_data(path, **people)
    found = HumanData.fromfile(str(path))
    assert found.data_len == 3
    assert found['image_path'] == people['image_paths']
    close(found['bbox_xywh'][1], [0, 0, 5, 6, 0.5])
    for key, value in people['smpl'].items():
        close(found['smpl'][key].reshape(3, -1), value)
    assert found['smpl']['body_pose'].shape == (3, 23, 3)
    assert found['smpl']['betas'].flags.writeable
    for key in ('keypoints2d', 'keypoints3d'):
        assert found[key].shape[:2] == (3, 190)
        assert found[f'{key}_mask'].sum() == 24
        close(found[key][:, human_data_indices('smpl24')], people[key])
    # What it does itself with a file it read.
    found.compress_keypoints_by_mask()
    close(
        found.get_raw_value('keypoints3d').sum(), people['keypoints3d'].sum()
    )
    assert found.get_slice(1, 3)['smpl']['betas'].shape == (2, 10)
    found.dump(str(tmp_path / 'again.npz'))


def test_its_data_set_reads_it(people, tmp_path):
    pytest.importorskip('mmhuman3d')
    from mmhuman3d.data.datasets.human_image_dataset import HumanImageDataset

    folder = tmp_path / 'preprocessed_datasets'
    write_human_data(folder / 'people.npz', **people)
    dataset = HumanImageDataset(
        data_prefix=str(tmp_path),
        pipeline=[],
        dataset_name='photos',
        ann_file='people.npz',
        convention='smpl',
    )
    assert len(dataset) == 3
    person = dataset[1]
    close(person['keypoints3d'], people['keypoints3d'][1])
    close(person['smpl_betas'], people['smpl']['betas'][1])
    close(person['center'], [2.5, 3])
    assert person['image_path'].endswith('datasets/photos/b/c.jpg')


@pytest.mark.parametrize(
    'joint_set, theirs',
    [('smpl24', 'smpl'), ('h36m14', 'lsp'), ('coco17', 'coco')],
)
def test_joints_stand_where_theirs_do(joint_set, theirs):
    pytest.importorskip('mmhuman3d')
    from mmhuman3d.core.conventions.keypoints_mapping import convert_kps

    number = len(joint_names(joint_set))
    points = np.arange(number * 3.0).reshape(1, number, 3) + 1
    expected, mask = convert_kps(points, src=theirs, dst='human_data')
    found = np.zeros((1, 190, 3))
    found[:, human_data_indices(joint_set)] = points
    np.testing.assert_array_equal(found, expected)
    assert mask.sum() == number


def test_only_the_dict_is_pickled_and_by_names_of_any_numpy(people, tmp_path):
    path = tmp_path / 'people.npz'
    write_human_data(path, **people)
    with zipfile.ZipFile(path) as archive:
        names = {name.removesuffix('.npy') for name in archive.namelist()}
        content = archive.read('smpl.npy')
    plain = read_npz(path, sorted(names - {'smpl'}))
    close(plain['bbox_xywh'][:, 4], people['bbox_scores'])
    with pytest.raises(UnusableFileError, match='pickled'):
        read_npz(path, ['smpl'])
    file = io.BytesIO(content)
    np.lib.format.read_magic(file)
    np.lib.format.read_array_header_1_0(file)
    asked = {
        argument
        for code, argument, _ in pickletools.genops(file)
        if code.name == 'GLOBAL'
    }
    assert asked == {
        'numpy.core.multiarray _reconstruct',
        'numpy ndarray',
        'numpy dtype',
    }
    # As most scripts read it.
    with np.load(path, allow_pickle=True) as data:
        close(data['smpl'].item()['transl'], people['smpl']['transl'])


def test_the_same_people_give_the_same_bytes(people, tmp_path):
    for name in ('a.npz', 'b.npz'):
        write_human_data(tmp_path / name, **people)
    one, other = ((tmp_path / n).read_bytes() for n in ('a.npz', 'b.npz'))
    assert one == other


def test_what_is_not_known_is_not_there(tmp_path):
    path = tmp_path / 'people.npz'
    write_human_data(path, ['a.jpg'])
    assert set(read_npz(path)) == {
        '__key_strict__',
        '__data_len__',
        '__keypoints_compressed__',
        'image_path',
    }


@pytest.mark.parametrize(
    'changes, told',
    [
        (dict(path='people.pkl'), r'name it .*people\.npz'),
        (dict(image_paths=[]), 'at least one'),
        (dict(image_paths='a.jpg'), 'must be a list'),
        (dict(bboxes=[[1, 2, 3, 4]]), r'expected \(3, 4\): one row per path'),
        (dict(bbox_scores=[1.0]), r'expected \(3\)'),
        (dict(smpl=dict(poses=np.zeros((3, 72)))), 'known are global_orient'),
        (dict(smpl={}), 'smpl holds nothing'),
        (dict(smpl=dict(body_pose=np.zeros((3, 63)))), r'\(3, 23, 3\)'),
        (dict(smpl=dict(betas=np.full((3, 10), np.nan))), 'not finite'),
        (dict(keypoints3d=np.zeros((3, 24, 3))), r'expected \(3, 24, 4\)'),
        (dict(joint_set=None), 'given without joint_set'),
        (dict(keypoints2d=np.zeros((3, 17, 3))), r'expected \(3, 24, 3\)'),
    ],
)
def test_what_cannot_be_written_is_refused(
    changes, told, people, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=told):
        write_human_data(**dict(dict(people, path='people.npz'), **changes))
    assert not os.listdir(tmp_path)


def test_an_unknown_joint_set_is_told(people, tmp_path):
    with pytest.raises(KeyError, match='known sets'):
        write_human_data(tmp_path / 'a.npz', **dict(people, joint_set='mano'))
