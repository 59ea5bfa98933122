"""Depth beside the data preprocessors of other packages."""

import pytest
import torch

from mmd2a.depth import normalize_depth
from mmd2a.mixing import RGBDDataPreprocessor

NORM = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])


def draw(*sizes):
    torch.manual_seed(0)
    images = []
    for height, width in sizes:
        depth = 1 + torch.rand(1, height, width)
        valid = (torch.rand(1, height, width) < 0.8).float()
        images.append(
            torch.cat(
                [255 * torch.rand(3, height, width), depth * valid, valid]
            )
        )
    return images


def reference(image):
    depth = torch.where(image[4] > 0, image[3], torch.nan)
    return normalize_depth(depth[None, None])[0]


@pytest.mark.parametrize(
    'package, image, structure',
    [
        (
            'mmpose',
            dict(type='mmpose.PoseDataPreprocessor', bgr_to_rgb=True),
            'PoseDataSample',
        ),
        (
            'mmdet',
            dict(
                type='mmdet.DetDataPreprocessor',
                bgr_to_rgb=True,
                pad_size_divisor=32,
            ),
            'DetDataSample',
        ),
        (
            'mmpretrain',
            dict(
                type='mmpretrain.ClsDataPreprocessor',
                to_rgb=True,
                pad_size_divisor=16,
            ),
            'DataSample',
        ),
    ],
)
@pytest.mark.parametrize('sizes', [[(40, 30), (40, 30)], [(40, 30), (50, 20)]])
def test_colour_and_labels_are_as_without_depth(
    package, image, structure, sizes
):
    structures = pytest.importorskip(f'{package}.structures')
    from mmd2a.registry import MODELS

    image = {**image, **NORM}
    images = draw(*sizes)
    samples, theirs = (
        [getattr(structures, structure)(metainfo=dict(id=i)) for i in range(2)]
        for _ in range(2)
    )
    expected = MODELS.build(image)(
        dict(inputs=[x[:3] for x in images], data_samples=theirs), True
    )
    batch = RGBDDataPreprocessor(image)(
        dict(inputs=images, data_samples=samples), True
    )
    assert torch.equal(batch['inputs'][:, :3], expected['inputs'])
    for ours, other in zip(batch['data_samples'], expected['data_samples']):
        assert ours.metainfo == other.metainfo
    height, width = expected['inputs'].shape[2:]
    for got, x in zip(batch['inputs'], images):
        h, w = x.shape[1:]
        torch.testing.assert_close(got[3:, :h, :w], reference(x))
        assert (got[3:, h:] == 0).all() and (got[3:, :, w:] == 0).all()
        assert got.shape == (5, height, width)


def test_a_collated_batch_gives_the_same():
    images = draw((32, 32), (32, 32))
    preprocess = RGBDDataPreprocessor(dict(type='ImgDataPreprocessor', **NORM))
    one = preprocess(dict(inputs=images))['inputs']
    other = preprocess(dict(inputs=torch.stack(images)))['inputs']
    assert torch.equal(one, other)


def test_depth_settings_reach_the_normalisation():
    images = draw((32, 32))
    preprocess = RGBDDataPreprocessor(
        dict(type='ImgDataPreprocessor'), dict(clip=0.1)
    )
    assert preprocess(dict(inputs=images))['inputs'][
        :, 3
    ].abs().max() == pytest.approx(0.1)


def test_what_would_leave_depth_behind_is_refused():
    image = dict(type='ImgDataPreprocessor')
    with pytest.raises(ValueError, match='batch_augments'):
        RGBDDataPreprocessor({**image, 'batch_augments': [dict(type='X')]})
    with pytest.raises(ValueError, match=r'mmd2a\.StackDepth'):
        RGBDDataPreprocessor(image)(dict(inputs=[torch.zeros(3, 8, 8)]))


def test_both_parts_move_with_the_model():
    from mmengine.model import BaseModel

    class Model(BaseModel):
        def forward(self, inputs, mode='tensor'):
            return inputs

    model = Model(
        data_preprocessor=dict(
            type='mmd2a.RGBDDataPreprocessor',
            image=dict(type='ImgDataPreprocessor', **NORM),
        )
    ).to('meta')
    preprocess = model.data_preprocessor
    assert preprocess.device == preprocess.image.device
    assert preprocess.image.mean.device.type == 'meta'


def test_depth_below_zero_is_not_normalised_as_metric():
    images = draw((40, 30), (40, 30))
    for image in images:
        image[3] *= -1
    settings = dict(image=dict(type='ImgDataPreprocessor'))
    with pytest.raises(ValueError, match="mode='affine'"):
        RGBDDataPreprocessor(**settings)(dict(inputs=images))
    affine = RGBDDataPreprocessor(
        **settings, depth_normalization=dict(mode='affine')
    )
    out = affine(dict(inputs=images))['inputs']
    for result, image in zip(out, images):
        assert torch.equal(result[4], image[4])
