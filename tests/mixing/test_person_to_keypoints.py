"""Our people in mmpose's pipelines."""

import numpy as np
import pytest

from mmd2a.body_models.joint_sets import JOINT_SETS, joint_names
from mmd2a.datasets import BadSampleError
from mmd2a.datasets.keypoint_metainfo import keypoint_metainfo
from mmd2a.mixing import PersonToKeypoints, StackDepth


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    image = np.zeros((120, 100, 3), np.uint8)
    points = rng.uniform(20, 80, (17, 2)).round()
    image[tuple(points.astype(int).T[::-1])] = 255
    return dict(
        img=image,
        depth=np.full((120, 100), 2.0),
        sample_idx=4,
        joint_set='coco17',
        bbox=np.array([15.0, 15, 85, 85]),
        keypoints2d=points,
        keypoints2d_visibility=np.full(17, 2),
    )


def test_only_labelled_joints_inside_the_image_are_visible(sample):
    sample['keypoints2d_visibility'][:2] = 0, 1
    sample['keypoints2d_weight'] = np.ones(17)
    sample['keypoints2d_weight'][5] = 0
    sample['keypoints2d'][5] = np.nan
    out = PersonToKeypoints()(sample)
    hidden = np.flatnonzero(out['keypoints_visible'][0] == 0)
    assert hidden.tolist() == [0, 5]
    assert out['num_keypoints'] == out['raw_ann_info']['num_keypoints'] == 15
    assert out['raw_ann_info']['keypoints'][5] == 1
    assert np.isfinite(out['keypoints']).all()


def test_without_visibility_the_image_decides(sample):
    del sample['keypoints2d_visibility']
    sample['keypoints2d'][3] = 150, 10
    out = PersonToKeypoints()(sample)
    assert np.flatnonzero(out['keypoints_visible'][0] == 0).tolist() == [3]


def test_a_box_that_cannot_be_used_is_a_bad_sample(sample):
    sample['bbox'] = np.array([5, 5, 5, 50.0])
    with pytest.raises(BadSampleError, match='no area'):
        PersonToKeypoints()(sample)


def test_mmpose_describes_coco_alike():
    utils = pytest.importorskip('mmpose.datasets.datasets.utils')
    with pytest.warns(UserWarning, match='matched config file'):
        theirs = utils.parse_pose_metainfo(dict(from_file='coco.py'))
    ours = keypoint_metainfo('coco17')
    assert set(theirs) <= set(ours)
    for key in (
        'num_keypoints',
        'keypoint_id2name',
        'keypoint_name2id',
        'upper_body_ids',
        'lower_body_ids',
        'flip_indices',
    ):
        assert ours[key] == theirs[key], key
    np.testing.assert_array_equal(ours['sigmas'], theirs['sigmas'])
    assert {frozenset(link) for link in ours['skeleton_links']} == {
        frozenset(link) for link in theirs['skeleton_links']
    }
    assert len(ours['skeleton_links']) == len(theirs['skeleton_links'])


@pytest.mark.parametrize('joint_set', JOINT_SETS)
def test_every_joint_set_is_a_connected_skeleton(joint_set):
    meta = keypoint_metainfo(joint_set)
    groups = [{i} for i in range(len(joint_names(joint_set)))]
    for start, end in meta['skeleton_links']:
        joined = [g for g in groups if start in g or end in g]
        groups = [g for g in groups if g not in joined]
        groups.append(set().union(*joined))
    assert len(groups) == 1
    flip = np.array(meta['flip_indices'])
    assert (flip[flip] == np.arange(len(flip))).all()
    assert len(meta['skeleton_link_colors']) == meta['num_skeleton_links']


def test_mmpose_moves_image_depth_and_keypoints_together(sample):
    pytest.importorskip('mmpose.datasets.transforms')
    from mmcv.transforms import Compose
    from mmengine.registry import DefaultScope

    codec = dict(
        type='UDPHeatmap',
        input_size=(96, 128),
        heatmap_size=(24, 32),
        sigma=2.0,
    )
    with DefaultScope.overwrite_default_scope('mmpose'):
        out = Compose(
            [
                PersonToKeypoints(),
                StackDepth(),
                dict(type='GetBBoxCenterScale'),
                dict(type='RandomFlip', prob=1.0),
                dict(type='RandomHalfBody', prob=1.0),
                dict(type='RandomBBoxTransform'),
                dict(type='TopdownAffine', input_size=(96, 128)),
                dict(type='GenerateTarget', encoder=codec),
                dict(type='PackPoseInputs', pack_transformed=True),
            ]
        )(sample)
    image, instance = out['inputs'], out['data_samples'].gt_instances
    assert image.shape == (5, 128, 96)
    assert (image[3] <= 2.01).all() and image[3].max() > 1.99
    points = instance.transformed_keypoints[0]
    found = 0
    for x, y in points.round().astype(int):
        if 3 <= x < 93 and 3 <= y < 125:
            # A white pixel, mixed with its black neighbours.
            assert image[0, y - 2 : y + 3, x - 2 : x + 3].max() > 20
            found += 1
    assert found > 3
    assert out['data_samples'].metainfo['flip_indices'][1] == 2


def test_people_of_concatenated_data_sets_have_their_own_numbers(sample):
    numbers = {
        PersonToKeypoints()({**sample, 'entry_id': entry})['id']
        for entry in ('00000001ffffffff', '00000002ffffffff')
    }
    assert len(numbers) == 2 and max(numbers) < 2**53
