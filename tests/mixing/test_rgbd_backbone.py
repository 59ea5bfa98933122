"""Depth for models whose backbone takes one tensor."""

import pytest
import torch

from mmd2a.mixing import RGBDBackbone

IMAGE_BACKBONE = dict(type='mmd2a.DepthBranch', in_channels=3, channels=(8,))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return RGBDBackbone(IMAGE_BACKBONE, dict(type='mmd2a.DepthBranch'))


def test_each_stream_sees_its_own_channels(net):
    image = torch.randn(2, 5, 32, 32)
    features = net(image)
    assert torch.equal(features.image[0], net.backbone(image[:, :3]))
    assert torch.equal(features.depth[0], net.depth_branch(image[:, 3:]))


def test_who_has_depth_is_read_from_the_validity(net):
    image = torch.zeros(3, 5, 32, 32)
    image[1, 4, 5, 6] = 1
    assert net(image).has_depth.tolist() == [0, 1, 0]


def test_an_image_without_depth_is_refused_with_a_way_out(net):
    with pytest.raises(ValueError, match=r'mmd2a\.StackDepth'):
        net(torch.zeros(2, 3, 32, 32))


@pytest.mark.parametrize(
    'backbone',
    [
        dict(type='mmpose.ResNet', depth=18),
        dict(
            type='mmpose.HRNet',
            extra=dict(
                stage1=dict(
                    num_modules=1,
                    num_branches=1,
                    block='BOTTLENECK',
                    num_blocks=(1,),
                    num_channels=(8,),
                ),
                stage2=dict(
                    num_modules=1,
                    num_branches=2,
                    block='BASIC',
                    num_blocks=(1, 1),
                    num_channels=(8, 16),
                ),
                stage3=dict(
                    num_modules=1,
                    num_branches=3,
                    block='BASIC',
                    num_blocks=(1, 1, 1),
                    num_channels=(8, 16, 32),
                ),
                stage4=dict(
                    num_modules=1,
                    num_branches=4,
                    block='BASIC',
                    num_blocks=(1,) * 4,
                    num_channels=(8, 16, 32, 64),
                    multiscale_output=True,
                ),
            ),
        ),
        dict(
            type='mmpretrain.ConvNeXt',
            gap_before_final_norm=False,
            arch=dict(depths=[1, 1, 1, 1], channels=[8, 16, 32, 64]),
        ),
        dict(type='mmdet.CSPDarknet', widen_factor=0.125, deepen_factor=0.33),
        dict(type='mmhuman3d.ResNet', depth=18),
    ],
    ids=lambda cfg: cfg['type'],
)
@pytest.mark.parametrize('neck', [True, False])
def test_backbones_of_every_package_fit(backbone, neck):
    pytest.importorskip(backbone['type'].split('.')[0])
    from mmd2a.registry import MODELS

    net = RGBDBackbone(backbone)
    net.init_weights()
    features = net(torch.randn(2, 5, 64, 64))
    if not neck:
        assert features.image[-1].shape[0] == 2
        return
    encoder = MODELS.build(
        dict(
            type='mmd2a.DepthCrossAttentionNeck',
            embed_dims=16,
            depth=1,
            num_heads=2,
            grid_size=(2, 2),
            in_channels=[m.shape[1] for m in features.image],
        )
    )
    (out,) = encoder(features)
    assert out.shape == (2, 16, *features.image[-1].shape[2:])


def test_a_list_of_necks_fuses_depth_before_a_pyramid(net):
    pytest.importorskip('mmdet')
    from mmd2a.registry import MODELS

    neck = MODELS.build(
        [
            dict(
                type='mmd2a.DepthCrossAttentionNeck',
                in_channels=8,
                embed_dims=16,
                depth=1,
                num_heads=2,
                grid_size=(8, 8),
            ),
            dict(
                type='mmdet.FPN', in_channels=[16], out_channels=4, num_outs=3
            ),
        ]
    )
    maps = neck(net(torch.randn(2, 5, 32, 32)))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (4, 8, 8),
        (4, 4, 4),
        (4, 2, 2),
    ]


def test_raw_missing_depth_leaves_no_trace(net):
    images = torch.randn(2, 5, 64, 64)
    images[1, 3:] = torch.nan
    features = net(images)
    assert features.has_depth.isfinite().all() and features.has_depth[1] == 0
    sum(m.sum() for m in features.depth).backward()
    assert all(p.grad.isfinite().all() for p in net.depth_branch.parameters())
