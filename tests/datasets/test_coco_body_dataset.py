"""COCO's json gives entries of BodyDataset, and its mistakes are named."""

import json

import cv2
import numpy as np
import pytest

from mmd2a.body_models import joint_names
from mmd2a.datasets import CocoBodyDataset
from mmd2a.datasets.coco_masks import decode_mask, encode_segmentation
from mmd2a.datasets.transforms import LoadFrame, PackBodySample, PersonCrop
from mmd2a.files import UnusableFileError
from mmd2a.registry import DATASETS

pycocotools = pytest.importorskip('pycocotools.mask')
SQUARE = [[10, 10, 30, 10, 30, 40, 10, 40]]


def annotation(number=1, **changes):
    rng = np.random.default_rng(number)
    points = rng.uniform(12, 28, (17, 3))
    points[:, 2] = rng.integers(0, 3, 17)
    points[0, 2] = 2
    points[points[:, 2] == 0] = 0
    found = dict(
        id=number,
        image_id=7,
        category_id=1,
        iscrowd=0,
        bbox=[10, 10, 20, 30],
        keypoints=points.reshape(-1).tolist(),
        segmentation=SQUARE,
    )
    found.update(changes)
    return {k: v for k, v in found.items() if v is not None}


@pytest.fixture
def build(tmp_path):
    """``build(people, settings, **content)``: a data set of a json."""

    def make(people, settings=(), **content):
        cv2.imwrite(str(tmp_path / 'a.png'), np.full((48, 64, 3), 90, 'u1'))
        image = dict(id=7, file_name='a.png', height=48, width=64)
        coco = dict(
            images=[image],
            categories=[dict(id=1, name='person')],
            annotations=people,
        )
        file = tmp_path / 'coco.json'
        file.write_text(json.dumps({**coco, **content}))
        return DATASETS.build(
            dict(
                type='mmd2a.CocoBodyDataset',
                ann_file='coco.json',
                data_root=str(tmp_path),
                **dict(settings),
            )
        )

    return make


def test_an_entry_has_the_labels_of_its_annotation(build, tmp_path):
    entry = build([annotation()]).get_data_info(0)
    points = np.reshape(annotation()['keypoints'], (17, 3))
    assert entry['img_path'] == str(tmp_path / 'a.png')
    assert entry['joint_set'] == 'coco17'
    np.testing.assert_array_equal(entry['bbox'], [10, 10, 30, 40])
    np.testing.assert_array_equal(entry['keypoints2d'], points[:, :2])
    np.testing.assert_array_equal(
        entry['keypoints2d_weight'], points[:, 2] > 0
    )
    np.testing.assert_array_equal(
        entry['keypoints2d_visibility'], points[:, 2]
    )
    assert (decode_mask(entry['mask_rle']) > 0).sum() == 20 * 30


def test_the_pipeline_takes_it(build):
    people = build(
        [annotation(), annotation(2, segmentation=None)],
        dict(
            pipeline=[
                LoadFrame(with_depth=False),
                PersonCrop(32, flip_prob=0.5),
                PackBodySample(joint_set='h36m14'),
            ]
        ),
    )
    first, second = people[0]['data_samples'], people[1]['data_samples']
    assert first.gt.mask_weight == 1 and second.gt.mask_weight == 0
    assert 0.3 < first.gt.mask.mean() < 0.9
    assert first.gt.smpl_weight == 0
    assert (first.gt.keypoints3d_weight == 0).all()
    assert 0 < first.gt.keypoints2d_weight.sum() <= 12


def test_masks_are_those_of_pycocotools():
    rng = np.random.default_rng(0)
    mask = np.asfortranarray((rng.random((20, 30)) < 0.4).astype(np.uint8))
    rle = pycocotools.encode(mask)
    text = dict(size=[20, 30], counts=rle['counts'].decode())
    flat, runs = mask.T.reshape(-1), [0]
    for last, value in zip([0, *flat], flat):
        if last != value:
            runs.append(0)
        runs[-1] += 1
    for given in (text, dict(size=[20, 30], counts=runs)):
        found = decode_mask(encode_segmentation(given, 20, 30))
        np.testing.assert_array_equal(found, mask * 255)
    two = [[1, 1, 9, 1, 9, 9, 1, 9], [15, 2, 25, 2, 25, 12]]
    parts = pycocotools.frPyObjects(two, 20, 30)
    expected = pycocotools.decode(parts).max(-1) * 255
    found = decode_mask(encode_segmentation(two, 20, 30))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    'segmentation, told',
    [
        ([[1, 1, 5, 5]], 'x3, y3'),
        ([[1, 1, 5, 5, 'a', 3]], 'no numbers'),
        ([[1, 1, 5, 5, 1e9, 3]], 'far outside'),
        ([[1, 1, 5, 5, float('nan'), 3]], 'far outside'),
        ('text', 'neither'),
        (dict(size=[9, 9], counts=[81]), r'size \[9, 9\]'),
        (dict(size=[20, 30], counts=[5]), 'do not fill'),
        (dict(size=[20, 30], counts=[-5, 605]), 'do not fill'),
        (dict(size=[20, 30], counts='PPPPPPP0'), 'run lengths'),
        (dict(size=[20, 30], counts='P'), 'end in a number'),
        (dict(size=[20, 30], counts='\x01'), 'no run lengths'),
        (dict(size=[20, 30]), 'no run lengths'),
    ],
)
def test_a_damaged_segmentation_is_named(build, segmentation, told):
    with pytest.raises(ValueError, match=told):
        encode_segmentation(segmentation, 20, 30)
    image = dict(id=7, file_name='a.png', height=20, width=30)
    with pytest.raises(UnusableFileError, match='annotation 5 cannot'):
        build([annotation(5, segmentation=segmentation)], images=[image])


def test_who_cannot_be_trained_on_is_left_out_and_counted(build, caplog):
    people = build(
        [
            annotation(1),
            annotation(2, iscrowd=1, keypoints=None),
            annotation(3, category_id=4),
            annotation(4, keypoints=[0] * 51, segmentation=[]),
            annotation(5, bbox=[3, 3, 0, 9]),
            annotation(6, keypoints=None),
            annotation(7, segmentation=None),
        ],
        categories=[dict(id=1, name='person'), dict(id=4, name='dog')],
    )
    assert len(people) == 3
    kinds = [
        {'mask_rle', 'keypoints2d'} & people.get_data_info(i).keys()
        for i in range(3)
    ]
    assert kinds == [
        {'mask_rle', 'keypoints2d'},
        {'mask_rle'},
        {'keypoints2d'},
    ]
    few = build([annotation(1), annotation(2, keypoints=None)])
    assert len(few) == 2
    few = build(
        [annotation(1), annotation(2, keypoints=None)], dict(min_keypoints=1)
    )
    assert len(few) == 1


def test_only_crowds_are_told(build):
    with pytest.raises(UnusableFileError, match='0 people'):
        build([annotation(iscrowd=1)])


def test_a_box_is_made_of_what_is_there(build):
    people = build(
        [annotation(1, bbox=None), annotation(2, bbox=None, segmentation=None)]
    )
    np.testing.assert_array_equal(
        people.get_data_info(0)['bbox'], [10, 10, 30, 40]
    )
    entry = people.get_data_info(1)
    known = entry['keypoints2d'][entry['keypoints2d_weight'] > 0]
    assert (entry['bbox'][:2] < known.min(0)).all()
    assert (entry['bbox'][2:] > known.max(0)).all()


def test_joints_are_found_by_their_names(build):
    names = list(joint_names('coco17'))
    order = np.random.default_rng(0).permutation(17)[:12]
    points = np.reshape(annotation()['keypoints'], (17, 3))
    category = dict(
        id=1,
        name='person',
        keypoints=[names[i].replace('_', ' ').title() for i in order],
    )
    shuffled = points[order].reshape(-1).tolist()
    people = build([annotation(keypoints=shuffled)], categories=[category])
    entry = people.get_data_info(0)
    for i in range(17):
        expected = points[i] if i in order else np.zeros(3)
        np.testing.assert_array_equal(entry['keypoints2d'][i], expected[:2])
        assert entry['keypoints2d_visibility'][i] == expected[2]
    category['keypoints'] = ['knob', 'lever']
    with pytest.raises(UnusableFileError, match='knob, lever'):
        build([annotation()], categories=[category])


def test_wholebody_is_read_from_its_parts(build):
    rng = np.random.default_rng(0)
    parts = dict(
        foot_kpts=6, face_kpts=68, lefthand_kpts=21, righthand_kpts=21
    )
    lists = {
        key: np.column_stack([rng.uniform(10, 30, (n, 2)), np.ones(n)])
        for key, n in parts.items()
    }
    whole = annotation(**{k: v.reshape(-1).tolist() for k, v in lists.items()})
    entry = build([whole], dict(joint_set='coco133')).get_data_info(0)
    assert len(entry['keypoints2d']) == 133
    names = joint_names('coco133')
    np.testing.assert_array_equal(
        entry['keypoints2d'][names.index('left_thumb')],
        lists['lefthand_kpts'][4, :2],
    )
    assert len(build([whole]).get_data_info(0)['keypoints2d']) == 17


def test_depth_lies_beside_by_its_suffix(build, tmp_path):
    people = build(
        [annotation()],
        dict(
            depth_suffix='_depth.npy',
            data_prefix=dict(img_path='', depth_path='maps'),
        ),
    )
    path = people.get_data_info(0)['depth_path']
    assert path == str(tmp_path / 'maps' / 'a_depth.npy')


@pytest.mark.parametrize(
    'changes, told',
    [
        (dict(image_id=8), 'image_id 8 is none of the 1 images'),
        (dict(keypoints=[1.0] * 50), '50 numbers'),
        (dict(keypoints=[1.0] * 48), '16 keypoints, coco17 has 17'),
        (dict(bbox=[1, 2, 3]), r'bbox \[1, 2, 3\]'),
        (dict(bbox='a'), 'annotation 5'),
        (dict(image_id=None), "no 'image_id'"),
    ],
)
def test_a_damaged_annotation_is_named(build, changes, told):
    with pytest.raises(UnusableFileError, match=told) as error:
        build([annotation(1), annotation(5, **changes)])
    assert 'annotation 5' in str(error.value)
    assert 'coco.json' in str(error.value) and 'To fix' in str(error.value)


@pytest.mark.parametrize(
    'content, told',
    [
        (dict(images=None), 'no list images'),
        (dict(annotations={}), 'no list annotations'),
        (dict(images=[dict(file_name='a')]), 'damaged'),
        (dict(images=[dict(id=7, file_name='../../a.png')]), 'annotation 1'),
        (
            dict(categories=[dict(id=1, name='cat'), dict(id=2, name='dog')]),
            'called person: cat, dog',
        ),
    ],
)
def test_another_file_is_told(build, content, told):
    with pytest.raises(UnusableFileError, match=told):
        build([annotation(1)], **content)


def test_no_file_is_told():
    with pytest.raises(UnusableFileError, match='ann_file'):
        CocoBodyDataset()
