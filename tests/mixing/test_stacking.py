"""Depth that travels as image channels comes back as it was."""

import cv2
import numpy as np
import pytest
import torch

from mmd2a.mixing import NormalizeRGBD, StackDepth, stack_depth, unstack_depth


def unstack(image):
    channels = torch.from_numpy(image[..., 3:].transpose(2, 0, 1).copy())
    return unstack_depth(channels[None])[0, 0].numpy()


@pytest.fixture
def depth():
    depth = np.random.default_rng(0).uniform(1, 5, (20, 30)).astype('f4')
    depth[5:8, 10:14] = np.nan
    depth[0, 0], depth[1, 1], depth[2, 2] = 0, -1, np.inf
    return depth


def test_depth_survives_the_round_trip(depth):
    back = unstack(stack_depth(np.zeros((20, 30, 3), np.uint8), depth))
    valid = np.isfinite(depth) & (depth > 0)
    assert (np.isfinite(back) == valid).all()
    assert (back[valid] == depth[valid]).all()


def test_colour_is_not_touched(depth):
    image = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    assert (stack_depth(image, depth)[..., :3] == image).all()


def test_no_depth_is_all_invalid():
    image = stack_depth(np.zeros((4, 4, 3), np.uint8), None)
    assert np.isnan(unstack(image)).all()


@pytest.mark.parametrize('scale', [0.4, 1.7])
def test_a_warp_leaks_neither_holes_nor_borders_into_a_flat_wall(scale):
    depth = np.full((40, 40), 3.0, np.float32)
    depth[10:20, 12:18] = np.nan
    image = stack_depth(np.zeros((40, 40, 3), np.uint8), depth)
    matrix = np.array([[scale, 0.1, 5.3], [-0.1, scale, 7.1]])
    back = unstack(cv2.warpAffine(image, matrix, (50, 50)))
    valid = np.isfinite(back)
    assert 0 < valid.sum() < valid.size
    # OpenCV's bilinear weights have five bits; they cancel.
    np.testing.assert_allclose(back[valid], 3.0, rtol=1e-5)


def test_sizes_must_match():
    with pytest.raises(ValueError, match=r'image \(H, W, 3\) and depth'):
        stack_depth(np.zeros((4, 4, 3)), np.zeros((4, 5)))


@pytest.mark.parametrize('shift', [0.0, -10.0])
def test_depth_without_unit_may_have_any_sign(depth, shift):
    values = depth + np.float32(shift)
    image = stack_depth(np.zeros((*depth.shape, 3)), values, 'depth')
    known = np.isfinite(depth)
    back = unstack(image)
    np.testing.assert_array_equal(back[known], values[known])
    assert np.isnan(back[~known]).all()


def test_the_pipeline_says_what_depth_it_is():
    results = dict(img=np.zeros((4, 4, 3)), depth=np.full((4, 4), -2.0))
    metric = StackDepth()(dict(results))
    assert (metric['img'][..., 4] == 0).all()
    other = StackDepth()(dict(results, depth_kind='disparity'))
    assert (other['img'][..., 4] == 1).all()
    with pytest.raises(ValueError, match="mode='affine'"):
        NormalizeRGBD()(dict(other))
    out = NormalizeRGBD(depth_normalization=dict(mode='affine'))(dict(other))
    assert (out['img'][..., 4] == 1).all()
