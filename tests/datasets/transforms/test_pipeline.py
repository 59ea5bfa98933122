"""The whole way from a folder of files to a batch for the model."""

import itertools
import logging

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger

from mmd2a.datasets import BadSampleError, BodyDataset
from mmd2a.geometry.cameras import project_points
from mmd2a.models.data_preprocessors import BodyDataPreprocessor
from mmd2a.registry import DATASETS

SIZE = 80
LABELS = ('smpl', 'keypoints3d', 'keypoints2d', 'mask', 'depth')
SUBSETS = [
    kept
    for size in range(len(LABELS) + 1)
    for kept in itertools.combinations(LABELS, size)
]
TRAIN = [
    dict(type='mmd2a.LoadFrame'),
    dict(
        type='mmd2a.PersonCrop',
        size=48,
        scale_jitter=0.15,
        shift_jitter=0.06,
        rotation=20,
        flip_prob=0.5,
    ),
    dict(type='mmd2a.PhotometricJitter'),
    dict(type='mmd2a.DegradeDepth'),
    dict(type='mmd2a.PackBodySample'),
]
TEST = [TRAIN[0], dict(type='mmd2a.PersonCrop', size=48), *TRAIN[3:]]


@DATASETS.register_module()
class FolderOfPeople(BodyDataset):
    """Entries given as they are."""

    def __init__(self, entries: list[dict], **kwargs) -> None:
        self.entries = entries
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict]:
        # MMEngine empties the list it is given once it is serialised.
        return list(self.entries)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Files that all entries share."""
    path = tmp_path_factory.mktemp('people')
    rng = np.random.default_rng(0)
    image = cv2.resize(
        rng.integers(0, 256, (10, 10, 3), np.uint8), (SIZE, SIZE)
    )
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[20:60, 30:50] = 255
    cv2.imwrite(str(path / 'img.jpg'), image)
    cv2.imwrite(str(path / 'img.png'), image)
    cv2.imwrite(str(path / 'mask.png'), mask)
    cv2.imwrite(
        str(path / 'depth.png'), np.full((SIZE, SIZE), 3000, np.uint16)
    )
    cv2.imwrite(str(path / 'small.png'), np.full((9, 9), 3000, np.uint16))
    for end in ('jpg', 'png'):
        data = (path / f'img.{end}').read_bytes()
        (path / f'cut.{end}').write_bytes(data[: len(data) // 2])
    return path


def entry(folder, kept=LABELS):
    rng = np.random.default_rng(1)
    K = np.array([[80.0, 0, 39], [0, 80, 41], [0, 0, 1]])
    joints = rng.normal(0, 0.3, (14, 3)) + [0, 0, 3]
    pixels = (joints / joints[:, 2:]) @ K.T
    out = dict(
        img_path=str(folder / 'img.jpg'),
        depth_path=None,
        mask_path=None,
        bbox=np.array([25, 15, 55, 65], np.float32),
        K=K,
        joint_set='h36m14',
    )
    if 'smpl' in kept:
        out.update(
            global_orient=rng.normal(size=3),
            smpl_weight=1.0,
            body_pose=rng.normal(0, 0.2, 69),
            betas=rng.normal(size=10),
            transl=np.array([0, 0, 3.0]),
        )
    if 'keypoints3d' in kept:
        out.update(keypoints3d=joints, keypoints3d_weight=np.ones(14))
    if 'keypoints2d' in kept:
        out.update(keypoints2d=pixels[:, :2], keypoints2d_weight=np.ones(14))
    if 'mask' in kept:
        out['mask_path'] = str(folder / 'mask.png')
    if 'depth' in kept:
        out['depth_path'] = str(folder / 'depth.png')
    return out


def build(entries, **kwargs):
    return FolderOfPeople(entries, **kwargs)


@pytest.mark.parametrize('test_mode', [False, True])
def test_samples_with_any_labels_share_a_batch(folder, test_mode):
    data = build(
        [entry(folder, kept) for kept in SUBSETS],
        pipeline=TEST if test_mode else TRAIN,
        test_mode=test_mode,
    )
    batch = BodyDataPreprocessor()(
        pseudo_collate([data[i] for i in range(len(data))]),
        training=not test_mode,
    )
    inputs, samples = batch['inputs'], batch['data_samples']
    assert inputs['img'].shape == (32, 3, 48, 48)
    assert inputs['depth'].shape == (32, 2, 48, 48)
    assert all(torch.isfinite(value).all() for value in inputs.values())
    assert inputs['has_depth'].tolist() == [
        float('depth' in kept) for kept in SUBSETS
    ]
    for sample, kept in zip(samples, SUBSETS):
        gt = sample.gt
        assert set(gt.keys()) == set(samples[0].gt.keys())
        assert all(torch.isfinite(gt.get(key)).all() for key in gt.keys())
        assert gt.smpl_weight == ('smpl' in kept)
        assert gt.mask_weight == ('mask' in kept)
        assert (gt.mask.sum() > 0) == ('mask' in kept)
        for key in ('keypoints2d', 'keypoints3d'):
            assert (gt.get(f'{key}_weight') == (key in kept)).all()
    assert not data.bad_samples


def test_packed_joints_project_onto_packed_pixels(folder):
    data = build([entry(folder)], pipeline=TRAIN)
    for _ in range(10):
        gt = data[0]['data_samples'].gt
        pixels = project_points(gt.keypoints3d, gt.K)
        torch.testing.assert_close(
            (2 * pixels + 1) / 48 - 1, gt.keypoints2d, atol=1e-5, rtol=0
        )


def test_a_pipeline_without_depth_gives_an_rgb_batch(folder):
    pipeline = [dict(type='mmd2a.LoadFrame', with_depth=False), *TEST[1:]]
    data = build([entry(folder)], pipeline=pipeline)
    batch = BodyDataPreprocessor()(pseudo_collate([data[0], data[0]]))
    assert set(batch['inputs']) == {'img'}


def test_a_test_set_is_the_same_in_every_run_and_order(folder):
    data = build([entry(folder)] * 3, pipeline=TEST, test_mode=True)
    first = [data[i]['inputs']['depth'] for i in (0, 1, 2)]
    np.random.seed(99)  # noqa: NPY002
    again = {i: data[i]['inputs']['depth'] for i in (2, 0, 1)}
    assert all(
        torch.equal(first[i].nan_to_num(), again[i].nan_to_num())
        for i in range(3)
    )
    assert not torch.equal(first[0].nan_to_num(), first[1].nan_to_num())


def nan_joint(e):
    e['keypoints3d'] = e['keypoints3d'].copy()
    e['keypoints3d'][4] = np.nan


FAULTS = dict(
    missing_image=(
        lambda e, f: e.update(img_path=str(f / 'gone.jpg')),
        'gone.jpg.*data_root',
    ),
    truncated_jpeg=(
        lambda e, f: e.update(img_path=str(f / 'cut.jpg')),
        'file is truncated.*cut.jpg.*replace',
    ),
    truncated_png=(
        lambda e, f: e.update(img_path=str(f / 'cut.png')),
        'file is truncated.*cut.png.*replace',
    ),
    depth_of_wrong_shape=(
        lambda e, f: e.update(depth_path=str(f / 'small.png')),
        'depth is 9x9.*80x80.*small.png.*resolution',
    ),
    nan_keypoint=(
        lambda e, f: nan_joint(e),
        r'keypoints3d at joints \[4\].*img.jpg.*weight 0',
    ),
    box_without_area=(
        lambda e, f: e.update(bbox=[30, 30, 30, 60]),
        'no area.*img.jpg.*correct bbox',
    ),
)


@pytest.mark.parametrize('fault', FAULTS)
def test_a_bad_sample_is_skipped_in_training_and_named_in_testing(
    folder, fault
):
    spoil, message = FAULTS[fault]
    bad = entry(folder)
    spoil(bad, folder)
    entries = [entry(folder), bad, entry(folder)]
    log = []
    logger = MMLogger.get_instance(f'test_pipeline_{fault}')
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: log.append(record.getMessage())
    logger.addHandler(handler)

    data = build(entries, pipeline=TRAIN)
    assert data[1]['data_samples'].sample_idx == 2
    assert list(data.bad_samples) == [1]
    assert len(log) == 1 and '1 bad so far' in log[0]

    data = build(entries, pipeline=TEST, test_mode=True)
    assert data[0]['data_samples'].sample_idx == 0
    with pytest.raises(BadSampleError, match=message):
        data[1]
