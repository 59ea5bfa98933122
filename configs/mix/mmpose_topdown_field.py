# mmpose's top-down heatmap model whose head sees the person through a feature
# field of ImpHMR, rendered on the grid of stride 16: the field is the neck.
_base_ = [
    '../_base_/datasets/synthetic_people_mmpose.py',
    '../_base_/schedules/quick.py',
    '../_base_/default_runtime.py',
]

default_scope = 'mmpose'
codec = dict(
    type='mmpose.MSRAHeatmap',
    input_size=(96, 128),
    heatmap_size=(24, 32),
    sigma=1.5,
)

model = dict(
    type='mmpose.TopdownPoseEstimator',
    data_preprocessor=dict(
        type='mmpose.PoseDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        type='mmpose.ResNet',
        depth=18,
        stem_channels=32,
        base_channels=32,
        out_indices=(2, 3),
    ),
    neck=dict(
        type='mmd2a.FeatureFieldNeck',
        in_channels=[128, 256],
        level=0,  # tokens of stride 16
        embed_dims=128,
        field=dict(
            type='mmd2a.FeatureField',
            out_channels=128,
            hidden=64,
            depth=4,
            skip=2,
            position_frequencies=4,
            direction_frequencies=2,
            conditioning='pixel',  # a heat map asks what is where
        ),
        renderer=dict(
            type='mmd2a.VolumeRenderer', size=(8, 6), num_samples=16
        ),
    ),
    head=dict(
        type='mmpose.HeatmapHead',
        in_channels=128,
        out_channels=17,
        deconv_out_channels=(64, 64),
        deconv_kernel_sizes=(4, 4),
        loss=dict(type='mmpose.KeypointMSELoss', use_target_weight=True),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True),
)

train_pipeline = [
    dict(type='mmd2a.LoadFrame', with_depth=False, with_mask=False),
    dict(type='mmd2a.PersonToKeypoints'),
    dict(type='mmd2a.PhotometricJitter'),
    dict(type='mmpose.GetBBoxCenterScale'),
    dict(type='mmpose.RandomFlip'),
    dict(type='mmpose.RandomBBoxTransform', rotate_factor=40),
    dict(type='mmpose.TopdownAffine', input_size=codec['input_size']),
    dict(type='mmpose.GenerateTarget', encoder=codec),
    dict(type='mmpose.PackPoseInputs'),
]
test_pipeline = [
    dict(type='mmd2a.LoadFrame', with_depth=False, with_mask=False),
    dict(type='mmd2a.PersonToKeypoints'),
    dict(type='mmpose.GetBBoxCenterScale'),
    dict(type='mmpose.TopdownAffine', input_size=codec['input_size']),
    dict(type='mmpose.PackPoseInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))

default_hooks = dict(checkpoint=dict(save_best='PCK', rule='greater'))
custom_hooks = [dict(type='SyncBuffersHook')]
visualizer = dict(type='mmpose.PoseLocalVisualizer')
