"""Parts of other packages in our estimator, ours in mmpose's."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmd2a.mixing import PersonToKeypoints, StackDepth
from mmd2a.registry import MODELS

CONFIG = Path(__file__).resolve().parents[2] / 'configs' / 'd2a_hmr_hrnet.py'
RESNET = dict(depth=18, out_indices=(1, 2, 3))
FPN = dict(in_channels=[128, 256, 512], out_channels=16, num_outs=3)


@pytest.mark.parametrize(
    'backbone, channels',
    [
        (dict(type='mmpose.ResNet', depth=18), [512]),
        (dict(type='mmpose.MobileNetV2', widen_factor=0.25), [1280]),
        (dict(type='mmpose.ShuffleNetV2', widen_factor=0.5), [1024]),
        (
            [
                dict(type='mmpose.ResNet', **RESNET),
                dict(type='mmpose.FPN', **FPN),
            ],
            [16] * 3,
        ),
        (dict(type='mmdet.ResNet', **RESNET), [128, 256, 512]),
        (
            dict(
                type='mmdet.CSPDarknet', widen_factor=0.125, deepen_factor=0.33
            ),
            [32, 64, 128],
        ),
        (
            [
                dict(type='mmdet.ResNet', **RESNET),
                dict(type='mmdet.FPN', **FPN),
            ],
            [16] * 3,
        ),
        (
            [
                dict(type='mmpretrain.ResNet', **RESNET),
                dict(type='mmdet.FPN', **FPN),
            ],
            [16] * 3,
        ),
        (
            dict(
                type='mmpretrain.EfficientNet', arch='b0', out_indices=(4, 6)
            ),
            [112, 1280],
        ),
        (
            dict(
                type='mmpretrain.SwinTransformer',
                img_size=64,
                window_size=2,
                out_indices=(2, 3),
                arch=dict(
                    embed_dims=16, depths=[1] * 4, num_heads=[1, 1, 2, 2]
                ),
            ),
            [64, 128],
        ),
        (
            dict(
                type='mmpretrain.VisionTransformer',
                img_size=64,
                out_type='featmap',
                arch=dict(
                    embed_dims=32,
                    num_layers=1,
                    num_heads=2,
                    feedforward_channels=32,
                ),
            ),
            [32],
        ),
    ],
)
def test_the_estimator_takes_backbones_and_necks_of_all(backbone, channels):
    for part in backbone if isinstance(backbone, list) else [backbone]:
        pytest.importorskip(part['type'].split('.')[0])
    cfg = Config.fromfile(CONFIG).model
    cfg.backbone = backbone
    cfg.patch_embedding.update(in_channels=channels, level=-1)
    with DefaultScope.overwrite_default_scope('mmd2a'):
        model = MODELS.build(cfg)
        model.init_weights()
    output = model.eval()(
        dict(img=torch.randn(1, 3, 64, 64), depth=torch.randn(1, 2, 64, 64))
    )
    assert output['vertices'].isfinite().all()


def target(codec, sample):
    from mmcv.transforms import Compose

    return Compose(
        [
            PersonToKeypoints(),
            StackDepth(),
            dict(type='mmpose.GetBBoxCenterScale'),
            dict(type='mmpose.TopdownAffine', input_size=(48, 64)),
            dict(type='mmpose.GenerateTarget', encoder=codec),
            dict(type='mmpose.PackPoseInputs'),
        ]
    )(dict(sample))


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    return dict(
        img=rng.integers(0, 256, (80, 80, 3), np.uint8),
        sample_idx=0,
        depth=rng.uniform(2, 3, (80, 80)),
        joint_set='coco17',
        bbox=np.array([10.0, 10, 70, 70]),
        keypoints2d=rng.uniform(15, 65, (17, 2)),
    )


HEATMAP = dict(
    type='MSRAHeatmap', input_size=(48, 64), heatmap_size=(12, 16), sigma=1.0
)
SIMCC = dict(type='SimCCLabel', input_size=(48, 64), sigma=2.0)
REGRESSION = dict(type='RegressionLabel', input_size=(48, 64))


@pytest.mark.parametrize(
    'head, codec',
    [
        (
            dict(
                type='HeatmapHead',
                in_channels=16,
                out_channels=17,
                deconv_out_channels=(16, 16),
                deconv_kernel_sizes=(4, 4),
            ),
            HEATMAP,
        ),
        (
            dict(type='RegressionHead', in_channels=16 * 4 * 3, num_joints=17),
            REGRESSION,
        ),
        (
            dict(
                type='RLEHead',
                in_channels=16 * 4 * 3,
                num_joints=17,
                loss=dict(
                    type='mmd2a.KeypointRLELoss', use_target_weight=True
                ),
            ),
            REGRESSION,
        ),
        (
            dict(
                type='DSNTHead',
                in_channels=16,
                in_featuremap_size=(3, 4),
                num_joints=17,
                deconv_out_channels=(16,),
                deconv_kernel_sizes=(4,),
            ),
            dict(
                type='IntegralRegressionLabel',
                input_size=(48, 64),
                heatmap_size=(6, 8),
                sigma=1.0,
            ),
        ),
        (
            dict(
                type='SimCCHead',
                in_channels=16,
                out_channels=17,
                input_size=(48, 64),
                in_featuremap_size=(3, 4),
                simcc_split_ratio=2.0,
                deconv_out_channels=None,
            ),
            SIMCC,
        ),
        (
            dict(
                type='RTMCCHead',
                in_channels=16,
                out_channels=17,
                input_size=(48, 64),
                in_featuremap_size=(3, 4),
                simcc_split_ratio=2.0,
                final_layer_kernel_size=3,
                gau_cfg=dict(
                    hidden_dims=16,
                    s=8,
                    expansion_factor=2,
                    dropout_rate=0.0,
                    drop_path=0.0,
                    act_fn='SiLU',
                    use_rel_bias=False,
                    pos_enc=False,
                ),
                loss=dict(type='KLDiscretLoss', use_target_weight=True),
            ),
            SIMCC,
        ),
    ],
    ids=lambda value: value['type'],
)
def test_heads_of_mmpose_learn_from_our_encoder(head, codec, sample):
    pytest.importorskip('mmpose.models')
    with DefaultScope.overwrite_default_scope('mmpose'):
        model = MODELS.build(
            dict(
                type='TopdownPoseEstimator',
                data_preprocessor=dict(
                    type='mmd2a.RGBDDataPreprocessor',
                    image=dict(type='PoseDataPreprocessor'),
                ),
                backbone=dict(
                    type='mmd2a.RGBDBackbone',
                    backbone=dict(
                        type='ShuffleNetV2', widen_factor=0.5, out_indices=(1,)
                    ),
                ),
                neck=dict(
                    type='mmd2a.DepthCrossAttentionEncoder',
                    in_channels=96,
                    embed_dims=16,
                    depth=1,
                    num_heads=2,
                    grid_size=(4, 3),
                ),
                head=dict(head, decoder=codec),
            )
        )
        model.init_weights()
        item = target(codec, sample)
        batch = model.data_preprocessor(
            dict(
                inputs=[item['inputs']] * 2,
                data_samples=[item['data_samples']] * 2,
            ),
            training=True,
        )
        losses = model.train()(**batch, mode='loss')
        model.parse_losses(losses)[0].backward()
        predicted = model.eval()(**batch, mode='predict')
    for name in (
        'backbone.depth_branch.layers.0.weight',
        'neck.depth_embedding.proj.weight',
    ):
        assert model.get_parameter(name).grad.abs().sum() > 0
    assert predicted[0].pred_instances.keypoints.shape == (1, 17, 2)
