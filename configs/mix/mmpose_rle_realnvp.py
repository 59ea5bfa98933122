# mmpose's RLE keypoint regressor; the flow and the likelihood are those of
# this package. mode='parity' gives mmpose's own numbers.
_base_ = [
    '../_base_/datasets/synthetic_people_mmpose.py',
    '../_base_/schedules/quick.py',
    '../_base_/default_runtime.py',
]

default_scope = 'mmpose'
codec = dict(type='mmpose.RegressionLabel', input_size=(96, 128))

model = dict(
    type='mmpose.TopdownPoseEstimator',
    data_preprocessor=dict(
        type='mmpose.PoseDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        type='mmpose.ResNet', depth=18, stem_channels=32, base_channels=32
    ),
    neck=dict(type='mmpose.GlobalAveragePooling'),
    head=dict(
        type='mmpose.RLEHead',
        in_channels=256,
        num_joints=17,
        loss=dict(
            type='mmd2a.KeypointRLELoss',
            mode='exact',
            flow=dict(type='mmd2a.RealNVP', dims=2, base='laplace'),
            use_target_weight=True,
        ),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True),
)

train_pipeline = [
    dict(type='mmd2a.LoadFrame', with_depth=False, with_mask=False),
    dict(type='mmd2a.PersonToKeypoints'),
    dict(type='mmpose.GetBBoxCenterScale'),
    dict(type='mmpose.RandomFlip'),
    dict(type='mmpose.RandomBBoxTransform', rotate_factor=40),
    dict(type='mmpose.TopdownAffine', input_size=codec['input_size']),
    dict(type='mmd2a.PhotometricJitter'),
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
