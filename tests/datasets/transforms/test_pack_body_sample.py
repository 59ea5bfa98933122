"""Every label field is always there, finite, with an honest weight."""

import itertools

import numpy as np
import pytest
import torch

from mmd2a.body_models import joint_names
from mmd2a.datasets.transforms import PackBodySample
from mmd2a.geometry.cameras import denormalize_keypoints2d

H, W = 24, 32
GROUPS = dict(
    smpl=('global_orient', 'body_pose', 'betas', 'transl', 'smpl_weight'),
    joints3d=('keypoints3d', 'keypoints3d_weight'),
    joints2d=('keypoints2d', 'keypoints2d_weight'),
    mask=('mask',),
    depth=('depth',),
)


def full():
    rng = np.random.default_rng(0)
    return dict(
        img=rng.integers(0, 256, (H, W, 3), np.uint8),
        img_path='a.jpg',
        sample_idx=3,
        joint_set='h36m14',
        K=np.eye(3),
        bbox=np.arange(4.0),
        depth=np.ones((H, W), np.float32),
        mask=np.zeros((H, W), np.uint8),
        global_orient=rng.normal(size=3),
        body_pose=rng.normal(size=69),
        betas=rng.normal(size=10),
        transl=rng.normal(size=3),
        smpl_weight=1.0,
        keypoints2d=rng.uniform(0, W, (14, 2)),
        keypoints2d_weight=np.ones(14),
        keypoints3d=rng.normal(size=(14, 3)),
        keypoints3d_weight=np.ones(14),
    )


SHAPES = dict(
    global_orient=(3,),
    body_pose=(69,),
    betas=(10,),
    transl=(3,),
    smpl_weight=(),
    keypoints3d=(14, 3),
    keypoints3d_weight=(14,),
    keypoints2d=(14, 2),
    keypoints2d_weight=(14,),
    mask=(1, H, W),
    mask_weight=(),
    K=(3, 3),
)


@pytest.mark.parametrize(
    'kept',
    [
        kept
        for size in range(len(GROUPS) + 1)
        for kept in itertools.combinations(GROUPS, size)
    ],
)
def test_any_subset_of_labels_packs_to_the_same_fields(kept):
    sample = full()
    for group, keys in GROUPS.items():
        for key in keys if group not in kept else ():
            del sample[key]
    out = PackBodySample()(sample)
    gt = out['data_samples'].gt
    assert {key: tuple(gt.get(key).shape) for key in gt.keys()} == SHAPES
    assert all(gt.get(key).dtype == torch.float32 for key in gt.keys())
    assert all(torch.isfinite(gt.get(key)).all() for key in gt.keys())
    assert gt.smpl_weight == ('smpl' in kept)
    assert (gt.keypoints3d_weight == ('joints3d' in kept)).all()
    assert (gt.keypoints2d_weight == ('joints2d' in kept)).all()
    assert gt.mask_weight == ('mask' in kept)
    assert ('depth' in out['inputs']) == ('depth' in kept)


def test_inputs_are_the_pixels_channels_first():
    sample = full()
    inputs = PackBodySample()(sample)['inputs']
    assert inputs['img'].dtype == torch.uint8
    assert (inputs['img'].numpy() == sample['img'].transpose(2, 0, 1)).all()
    assert inputs['depth'].shape == (1, H, W)


def test_keypoints_are_normalised_over_the_crop():
    sample = full()
    gt = PackBodySample()(sample)['data_samples'].gt
    back = denormalize_keypoints2d(gt.keypoints2d, (W, H))
    np.testing.assert_allclose(back, sample['keypoints2d'], atol=1e-5)


def test_unknown_keypoints_are_zeros_whatever_they_held():
    sample = full()
    sample['keypoints2d'][2] = np.nan
    sample['keypoints2d_weight'][[2, 3]] = 0
    gt = PackBodySample()(sample)['data_samples'].gt
    assert (gt.keypoints2d[2:4] == 0).all()


def test_incomplete_body_parameters_do_not_count():
    sample = full()
    del sample['betas']
    assert PackBodySample()(sample)['data_samples'].gt.smpl_weight == 0


def test_the_mask_is_what_the_camera_sees_or_the_whole_person():
    sample = full()
    sample['mask'][:3], sample['mask'][3:5] = 255, 128
    visible = PackBodySample()(dict(sample))['data_samples'].gt.mask
    amodal = PackBodySample(mask='amodal')(sample)['data_samples'].gt.mask
    assert visible.sum() == 3 * W and amodal.sum() == 5 * W
    with pytest.raises(ValueError, match='amodal'):
        PackBodySample(mask='both')


def test_the_way_back_to_the_image_is_kept():
    meta = PackBodySample()(full())['data_samples'].metainfo
    assert {
        'img_path',
        'sample_idx',
        'ori_shape',
        'img_shape',
        'bbox',
        'crop_matrix',
        'flip',
        'rotation',
        'joint_set',
    } <= set(meta)
    assert meta['img_shape'] == (H, W) and meta['sample_idx'] == 3


@pytest.mark.parametrize('approximate', [False, True])
def test_joints_are_put_in_the_places_of_another_set(approximate):
    sample = {**full(), 'keypoints2d_visibility': np.arange(14) % 3}
    packed = PackBodySample(
        joint_set='smpl24', approximate_joints=approximate
    )(dict(sample))['data_samples']
    names, own = joint_names('smpl24'), joint_names('h36m14')
    assert packed.joint_set == 'smpl24'
    near = {'left_hip', 'right_hip', 'neck'}
    for i, name in enumerate(names):
        known = name in own and (approximate or name not in near)
        assert packed.gt.keypoints3d_weight[i] == known
        joint = sample['keypoints3d'][own.index(name)] if known else 0
        np.testing.assert_allclose(packed.gt.keypoints3d[i], joint, rtol=1e-6)
        flag = own.index(name) % 3 if known else 0
        assert packed.keypoints2d_visibility[i] == flag


def test_sets_without_a_common_joint_are_refused():
    sample = {**full(), 'joint_set': 'body25'}
    for key in ('keypoints2d', 'keypoints3d'):
        del sample[key], sample[f'{key}_weight']
    with pytest.raises(ValueError, match=r'h36m14\+body25'):
        PackBodySample(joint_set='h36m14')(dict(sample))
    PackBodySample(joint_set='h36m14+body25')(sample)


def test_a_sample_without_a_joint_set_takes_that_of_the_pipeline():
    sample = full()
    del sample['joint_set']
    with pytest.raises(ValueError, match='joint_set'):
        PackBodySample()(dict(sample))
    assert (
        PackBodySample(joint_set='h36m14')(sample)['data_samples'].joint_set
        == 'h36m14'
    )


def test_keypoints_of_another_length_are_refused():
    other = {**full(), 'keypoints3d': np.zeros((17, 3))}
    with pytest.raises(ValueError, match=r'\(17, 3\).*\(14, 3\).*h36m14'):
        PackBodySample()(dict(other))
    with pytest.raises(ValueError, match=r'\(17, 3\).*\(14, 3\)'):
        PackBodySample()({**other, 'keypoints3d_weight': np.ones(17)})


def test_what_protocols_need_to_know_of_a_sample_is_kept():
    packed = PackBodySample()(
        {**full(), 'gender': 'female', 'entry_id': '8d2e'}
    )
    assert packed['data_samples'].entry_id == '8d2e'
    assert packed['data_samples'].gender == 'female'
    assert packed['data_samples'].joint_set == 'h36m14'
    assert packed['data_samples'].sample_idx == 3


@pytest.mark.parametrize('number', [1, 5, 11, 300])
def test_shape_components_are_as_many_as_are_labelled(number):
    betas = np.linspace(-1, 1, number)
    gt = PackBodySample()({**full(), 'betas': betas})['data_samples'].gt
    np.testing.assert_allclose(gt.betas, betas, rtol=1e-6)
    assert gt.smpl_weight == 1


@pytest.mark.parametrize(
    'levels', [(False, True), (0, 1), (0, 255), (np.uint16(0), 65535)]
)
def test_masks_of_any_levels_are_the_same_person(levels):
    sample = full()
    sample['mask'] = np.array(levels)[np.eye(H, W, dtype=int)]
    gt = PackBodySample()(sample)['data_samples'].gt
    np.testing.assert_array_equal(gt.mask[0], np.eye(H, W))
    sample['mask'] = np.eye(H, W, dtype=np.uint8) * 7
    with pytest.raises(ValueError, match='values 0, 7'):
        PackBodySample()(sample)
