"""Annotation files: read right, or refused naming file, entry and mend."""

import json
import os
import pickle

import numpy as np
import pytest

from mmd2a.datasets import BodyDataset
from mmd2a.datasets.label_layouts import LAYOUTS, suggest_key
from mmd2a.files import UnusableFileError

PERSON = dict(img_path='a.jpg', bbox=[0, 0, 9, 9], joint_set='h36m14')


class Canary:
    """Makes a folder when unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def load(folder, content, name='ann.json'):
    """The data set of a file that holds text or what JSON makes of it."""
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    (folder / name).write_bytes(content)
    return BodyDataset(ann_file=name, data_root=str(folder))


def load_entry(folder, **fields):
    """The data set of two people, of whom the second has these fields."""
    entries = [PERSON, {**PERSON, **fields}]
    return load(folder, dict(metainfo={}, data_list=entries))


@pytest.mark.parametrize('name', ['ann.pkl', 'ann.pickle', 'ANN.PKL'])
def test_a_pickle_is_refused_and_runs_nothing(tmp_path, name):
    content = dict(metainfo={}, data_list=[Canary(tmp_path / 'canary')])
    with pytest.raises(UnusableFileError, match=rf'{name}.*as JSON'):
        load(tmp_path, pickle.dumps(content), name)
    # Under the name of what is read it is no text.
    with pytest.raises(UnusableFileError, match=r'ann\.json'):
        load(tmp_path, pickle.dumps(content))
    assert not (tmp_path / 'canary').exists()


@pytest.mark.parametrize('name', ['ann.yaml', 'ann.yml'])
def test_yaml_runs_nothing(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    tagged = b'metainfo: !!python/object/apply:os.mkdir [canary]\n'
    with pytest.raises(UnusableFileError, match=f'{name}.*without tags'):
        load(tmp_path, tagged + b'data_list: []', name)
    assert not (tmp_path / 'canary').exists()
    plain = b'metainfo: {}\ndata_list: [{img_path: a.jpg, bbox: [0, 0, 9, 9]}]'
    assert len(load(tmp_path, plain, name)) == 1


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'\0' * 50,
        b'{"metainfo": {}, "data_list": [',
        ['a', 'b'],
        'text',
        None,
        {},
        dict(images=[], annotations=[], categories=[]),
        dict(metainfo={}, data_list={}),
        dict(metainfo={}, data_list='text'),
        dict(metainfo=[], data_list=[]),
        dict(metainfo=None, data_list=[]),
    ],
)
def test_a_file_that_holds_no_annotations_is_named(tmp_path, content):
    with pytest.raises(
        UnusableFileError, match=r'ann\.json\. To fix'
    ) as error:
        load(tmp_path, content)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('name', ['', 'ann.csv', 'ann', 'absent.json'])
def test_a_file_of_another_kind_is_named(tmp_path, name):
    with pytest.raises(UnusableFileError, match='To fix'):
        BodyDataset(ann_file=name, data_root=str(tmp_path))


@pytest.mark.parametrize('entry', ['text', 3, None, [1, 2], True])
def test_an_entry_that_is_no_object_is_named(tmp_path, entry):
    content = dict(metainfo={}, data_list=[PERSON, PERSON, entry])
    with pytest.raises(UnusableFileError, match=r'entry 2 of 3.*ann\.json'):
        load(tmp_path, content)


WRONG = [
    *(
        (key, value)
        for key in LAYOUTS
        for value in ('text', {'a': 1}, [[1, 2], [3]], [[[[]]]], [None])
    ),
    *((key, value) for key in LAYOUTS for value in ([10**400], 10**400)),
    *(
        (key, value)
        for key in ('img_path', 'depth_path', 'mask_path')
        for value in ('', 5, ['a.jpg'], {}, '../../etc/passwd', 'a/../../b')
    ),
    ('img_path', None),
    ('bbox', None),
    ('bbox', [1, 2, 3]),
    ('bbox', [1, 2, 3, '4']),
    ('joint_set', 'h36m'),
    ('joint_set', 17),
    ('gender', 1),
    ('keypoints2d', [[1, 2]] * 17),
]


@pytest.mark.parametrize('key, value', WRONG)
def test_a_wrong_type_in_any_field_is_named(tmp_path, key, value):
    with pytest.raises(
        UnusableFileError, match=rf'entry 1 of 2.*{key}.*ann\.json\. To fix'
    ) as error:
        load_entry(tmp_path, keypoints3d=[[0, 0, 0]] * 14, **{key: value}) if (
            key != 'keypoints3d'
        ) else load_entry(tmp_path, **{key: value})
    assert len(str(error.value)) < 600 and '\n' not in str(error.value)


@pytest.mark.parametrize(
    'key, meant',
    [
        ('pose', 'body_pose'),
        ('keypoints_3d', 'keypoints3d'),
        ('Keypoints2D', 'keypoints2d'),
        ('smpl_betas', 'betas'),
        ('bbox_xyxy', 'bbox'),
        ('image_path', 'img_path'),
        ('mask', 'mask_path'),
        ('global_orientation', 'global_orient'),
        ('smpl_weights', 'smpl_weight'),
    ],
)
def test_the_right_name_of_an_unknown_key_is_given(tmp_path, key, meant):
    entry = {k: v for k, v in PERSON.items() if k != meant}
    with pytest.raises(
        UnusableFileError, match=f"entry 1 of 2.*'{key}'.*'{meant}'"
    ):
        load(
            tmp_path,
            dict(metainfo={}, data_list=[PERSON, {**entry, key: 'x'}]),
        )


def test_keys_of_the_users_own_are_kept(tmp_path):
    extra = dict(
        id=7,
        frame=3,
        motion='run',
        visible_fraction=0.5,
        score=1.0,
        image_id=2,
        track=[1, 2],
        mask=[[0, 1]],
        note={'a': 'b'},
    )
    for key in extra:
        if key != 'mask':
            assert suggest_key(key) is None
    info = load_entry(tmp_path, **extra).get_data_info(1)
    assert {key: info[key] for key in extra} == extra


def test_labels_become_arrays_of_one_layout(tmp_path):
    info = load_entry(
        tmp_path,
        body_pose=np.zeros((23, 3)).tolist(),
        betas=[0.5] * 11,
        smpl_weight=[1],
        keypoints2d=[[1, 2, 0.5]] * 14,
        keypoints3d=[0.0, 0, float('nan')] * 14,
        keypoints3d_weight=0,
        mask_path=None,
    ).get_data_info(1)
    assert info['body_pose'].shape == (69,)
    assert info['betas'].shape == (11,)
    assert info['smpl_weight'].shape == ()
    assert info['keypoints2d'].shape == (14, 2)
    assert (info['keypoints2d_weight'] == 0.5).all()
    assert info['keypoints3d'].shape == (14, 3)
    assert info['mask_path'] is None
