"""RGB-D images in pipelines of any package."""

import numpy as np
import pytest
import torch

from mmd2a.mixing import NormalizeRGBD, StackDepth
from mmd2a.models.data_preprocessors import BodyDataPreprocessor


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    depth = rng.uniform(1, 4, (24, 32)).astype('f4')
    depth[:4] = np.nan
    return dict(img=rng.integers(0, 256, (24, 32, 3), np.uint8), depth=depth)


def test_stacking_takes_depth_along_with_the_image(sample):
    out = StackDepth()(dict(sample))
    assert out['img'].shape == (24, 32, 5) and 'depth' not in out


def test_a_sample_without_depth_has_none_that_is_valid(sample):
    del sample['depth']
    assert (StackDepth()(sample)['img'][..., 3:] == 0).all()


def test_pipeline_and_body_preprocessor_normalise_alike(sample):
    expected = BodyDataPreprocessor()(
        dict(
            inputs=dict(
                img=[
                    torch.from_numpy(sample['img'].transpose(2, 0, 1).copy())
                ],
                depth=[torch.from_numpy(sample['depth'])[None]],
            )
        )
    )['inputs']
    image = NormalizeRGBD()(StackDepth()(sample))['img']
    assert image.dtype == np.float32
    image = image.transpose(2, 0, 1)
    np.testing.assert_allclose(image[:3], expected['img'][0], atol=1e-6)
    np.testing.assert_allclose(image[3:], expected['depth'][0], atol=1e-6)


def test_an_image_without_depth_is_refused_with_a_way_out(sample):
    with pytest.raises(ValueError, match=r'mmd2a\.StackDepth'):
        NormalizeRGBD()(sample)


@pytest.mark.parametrize(
    'name, transform',
    [
        ('mmcv', dict(type='Resize', scale=(50, 40))),
        ('mmcv', dict(type='RandomFlip', prob=1.0)),
        (
            'mmcv',
            dict(type='RandomResize', scale=(40, 40), ratio_range=(0.5, 2)),
        ),
        ('mmcv', dict(type='CenterCrop', crop_size=16)),
        ('mmdet', dict(type='mmdet.RandomCrop', crop_size=(16, 16))),
        ('mmpretrain', dict(type='mmpretrain.RandomResizedCrop', scale=16)),
        ('mmpretrain', dict(type='mmpretrain.ResizeEdge', scale=16)),
    ],
)
def test_geometric_transforms_of_others_warp_all_channels(
    sample, name, transform
):
    pytest.importorskip(name)
    from mmcv.transforms import TRANSFORMS

    image = StackDepth()(sample)['img']
    # The same numbers in colour and depth must stay the same.
    image[..., 0], image[..., 1] = image[..., 3], image[..., 4]
    out = TRANSFORMS.build(transform)(
        dict(img=image, img_shape=image.shape[:2], ori_shape=image.shape[:2])
    )
    result = out['img']
    assert result.shape[2] == 5
    np.testing.assert_allclose(result[..., 0], result[..., 3], atol=1e-5)
    np.testing.assert_allclose(result[..., 1], result[..., 4], atol=1e-5)
