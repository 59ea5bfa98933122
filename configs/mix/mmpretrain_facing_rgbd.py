# MMPretrain's classifier looks at depth too: the encoder of this package is
# its neck. Tells whether a person faces the camera, right, away or left.
_base_ = [
    '../_base_/datasets/synthetic_people_96.py',
    '../_base_/schedules/quick.py',
    '../_base_/default_runtime.py',
]

default_scope = 'mmpretrain'
num_classes = 4

model = dict(
    type='mmpretrain.ImageClassifier',
    data_preprocessor=dict(
        type='mmd2a.RGBDDataPreprocessor',
        image=dict(
            type='mmpretrain.ClsDataPreprocessor',
            mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375],
            to_rgb=True,
        ),
    ),
    backbone=dict(
        type='mmd2a.RGBDBackbone',
        backbone=dict(
            type='mmpretrain.MobileNetV3',
            arch='small',
            out_indices=(1, 3, 8, 12),
        ),
        depth_branch=dict(type='mmd2a.DepthBranch'),
    ),
    neck=[
        dict(
            type='mmd2a.DepthCrossAttentionNeck',
            in_channels=[16, 24, 48, 576],
            level=2,  # 6 x 6 tokens: stride 16
            grid_size=(6, 6),
            embed_dims=128,
            depth=2,
            num_heads=4,
            mlp_ratio=2,
            dropout=0.0,
            masking=None,
        ),
        dict(type='mmpretrain.GlobalAveragePooling'),
    ],
    head=dict(
        type='mmpretrain.LinearClsHead',
        num_classes=num_classes,
        in_channels=128,
        loss=dict(type='mmpretrain.CrossEntropyLoss'),
    ),
)

train_pipeline = [
    dict(type='mmd2a.LoadFrame', with_mask=False),
    _base_.train_pipeline[1],  # the crop
    dict(type='mmd2a.PhotometricJitter'),
    dict(type='mmd2a.DegradeDepth'),
    dict(type='mmd2a.StackDepth'),
    dict(type='mmd2a.FacingLabel', num_classes=num_classes),
    dict(type='mmpretrain.PackInputs'),
]
test_pipeline = [
    dict(type='mmd2a.LoadFrame', with_mask=False),
    _base_.test_pipeline[1],
    dict(type='mmd2a.DegradeDepth'),
    dict(type='mmd2a.StackDepth'),
    dict(type='mmd2a.FacingLabel', num_classes=num_classes),
    dict(type='mmpretrain.PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))

val_evaluator = dict(_delete_=True, type='mmpretrain.Accuracy')
test_evaluator = val_evaluator

default_hooks = dict(
    checkpoint=dict(save_best='accuracy/top1', rule='greater')
)
custom_hooks = [dict(type='SyncBuffersHook')]
visualizer = dict(type='mmpretrain.UniversalVisualizer')
