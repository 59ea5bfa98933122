"""MMPretrain's backbones in our estimator, our encoder in its classifier."""

import pytest
import torch

from mmd2a.registry import MODELS

pytestmark = pytest.mark.usefixtures('own_scope')
pytest.importorskip('mmpretrain')


def test_twenty_steps_of_d2a_hmr_on_an_mmpretrain_backbone(
    train, loss_history, tmp_path
):
    runner = train('mmpretrain_d2a_hmr_mobilenet-v3')
    losses = loss_history(runner)
    assert len(losses) == 20 and losses[-5:].mean() < losses[:5].mean()
    assert type(runner.model.backbone).__module__.startswith('mmpretrain')
    torch.load(tmp_path / 'iter_20.pth', weights_only=True)
    assert runner.test()['synthetic_h36m14/num_samples'] == 4


def test_twenty_steps_of_an_mmpretrain_classifier_that_sees_depth(
    train, loss_history, tmp_path
):
    runner = train('mmpretrain_facing_rgbd')
    losses = loss_history(runner)
    assert len(losses) == 20 and losses[-5:].mean() < losses[:5].mean()
    torch.load(tmp_path / 'iter_20.pth', weights_only=True)
    assert runner.test()['accuracy/top1'] in (0, 25, 50, 75, 100)


def test_the_classifier_hears_of_depth(small_config):
    from mmengine.registry import init_default_scope

    cfg = small_config('mmpretrain_facing_rgbd')
    init_default_scope('mmpretrain')
    model = MODELS.build(cfg.model).eval()
    image = torch.rand(1, 5, 96, 96)
    image[:, 4] = 1
    nearer = image.clone()
    nearer[:, 3] /= 2
    with torch.no_grad():
        assert not torch.equal(model(image), model(nearer))
    loss = model.train()(image.expand(2, -1, -1, -1)).sum()
    loss.backward()
    assert [
        name for name, p in model.named_parameters() if p.grad is None
    ] == []


@pytest.mark.parametrize(
    'backbone, channels',
    [
        (
            dict(
                type='mmpretrain.MobileNetV3',
                arch='small',
                out_indices=(1, 3, 8, 12),
            ),
            [16, 24, 48, 576],
        ),
        (
            dict(
                type='mmpretrain.VisionTransformer',
                arch='deit-t',
                img_size=96,
                out_type='featmap',
            ),
            [192],
        ),
        (
            dict(
                type='mmpretrain.ConvNeXt',
                arch='atto',
                out_indices=(0, 1, 2, 3),
                gap_before_final_norm=False,
            ),
            [40, 80, 160, 320],
        ),
        (dict(type='mmdet.ResNet', depth=18), [64, 128, 256, 512]),
        # A backbone and a neck: a list, as everywhere in MMEngine.
        (
            [
                dict(
                    type='mmpretrain.ResNet', depth=18, out_indices=(1, 2, 3)
                ),
                dict(
                    type='mmdet.FPN',
                    in_channels=[128, 256, 512],
                    out_channels=32,
                    num_outs=3,
                ),
            ],
            [32, 32, 32],
        ),
    ],
    ids=['MobileNetV3', 'ViT', 'ConvNeXt', 'mmdet', 'backbone and neck'],
)
def test_d2a_hmr_takes_backbones_and_necks_of_other_packages(
    backbone, channels, small_config
):
    pytest.importorskip('mmdet')
    cfg = small_config('mmpretrain_d2a_hmr_mobilenet-v3').model
    cfg.backbone = backbone
    cfg.patch_embedding.update(in_channels=channels, level=-1)
    model = MODELS.build(cfg)
    image, depth = torch.zeros(2, 3, 96, 96), torch.zeros(2, 2, 96, 96)
    output = model(dict(img=image, depth=depth, has_depth=torch.ones(2)))
    assert len(output['vertices']) == len(output['mask']) == 2
    sum(value.sum() for value in output.values()).backward()
    assert [
        name for name, p in model.backbone.named_parameters() if p.grad is None
    ] == []  # as distributed training asks
