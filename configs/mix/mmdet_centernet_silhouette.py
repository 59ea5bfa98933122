# MMDetection's CenterNet finds the people; the silhouette decoder and loss of
# this package supervise its features as well. Runs without compiled operators.
# Needs mmdet, pycocotools, shapely and terminaltables.
_base_ = ['../_base_/default_runtime.py', '../_base_/schedules/quick.py']

default_scope = 'mmdet'
data_root = 'data/synthetic_people'

model = dict(
    type='mmdet.CenterNet',
    data_preprocessor=dict(
        type='mmdet.DetDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_mask=True,
        pad_size_divisor=32,
    ),
    backbone=dict(
        type='mmdet.ResNet',
        depth=18,
        base_channels=32,
        stem_channels=32,
        norm_cfg=dict(type='BN'),
        norm_eval=False,
    ),
    neck=dict(
        type='mmdet.CTResNetNeck',
        in_channels=256,
        num_deconv_filters=(64, 64, 64),
        num_deconv_kernels=(4, 4, 4),
        use_dcn=False,
    ),
    bbox_head=dict(
        type='mmd2a.AuxiliarySilhouetteHead',
        head=dict(
            type='mmdet.CenterNetHead',
            num_classes=1,
            in_channels=64,
            feat_channels=64,
            loss_center_heatmap=dict(type='mmdet.GaussianFocalLoss'),
            loss_wh=dict(type='mmdet.L1Loss', loss_weight=0.1),
            loss_offset=dict(type='mmdet.L1Loss'),
        ),
        # Tokens of 8 x 8 cells: the mask is as fine as the map of stride 4.
        patch_embedding=dict(in_channels=64, embed_dims=64, patch_size=8),
        decoder=dict(type='mmd2a.SilhouetteDecoder'),
        loss=dict(type='mmd2a.SilhouetteLoss', loss_weight=1.0),
    ),
    test_cfg=dict(topk=20, local_maximum_kernel=3, max_per_img=20),
)

train_pipeline = [
    dict(type='mmd2a.LoadFrame', with_depth=False),
    dict(type='mmd2a.PersonToInstance'),
    dict(type='mmdet.LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='mmdet.PhotoMetricDistortion'),
    dict(
        type='RandomResize',
        scale=(128, 128),
        ratio_range=(0.8, 1.2),
        resize_type='mmdet.Resize',
    ),
    dict(
        type='mmdet.RandomCrop',
        crop_size=(128, 128),
        allow_negative_crop=False,
    ),
    dict(type='mmdet.RandomFlip', prob=0.5),
    dict(type='mmdet.PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile', to_float32=True),
    dict(type='mmd2a.PersonToInstance'),
    dict(type='mmdet.Resize', scale=(128, 128)),
    # CenterNet asks its test images for the border put around them.
    dict(
        type='mmdet.RandomCenterCropPad',
        ratios=None,
        border=None,
        mean=[0, 0, 0],
        std=[1, 1, 1],
        to_rgb=False,
        test_mode=True,
        test_pad_mode=['size_divisor', 32],
    ),
    dict(
        type='mmdet.PackDetInputs',
        meta_keys=(
            'img_id',
            'img_path',
            'ori_shape',
            'img_shape',
            'scale_factor',
            'border',
            'instances',
        ),
    ),
]

dataset = dict(
    type='mmd2a.SyntheticPeople',
    data_root=data_root,
    image_size=160,
    metainfo=dict(classes=('person',)),
)
train_dataloader = dict(
    batch_size=24,
    num_workers=0,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        **dataset, split='train', num_people=2000, pipeline=train_pipeline
    ),
)
val_dataloader = dict(
    batch_size=48,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        **dataset,
        split='val',
        num_people=200,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    val_dataloader,
    dataset=dict(val_dataloader['dataset'], split='test', num_people=600),
)

# The truth travels with the samples ('instances'): no annotation file.
val_evaluator = dict(type='mmdet.CocoMetric', metric='bbox')
test_evaluator = val_evaluator

default_hooks = dict(
    checkpoint=dict(save_best='coco/bbox_mAP', rule='greater')
)
custom_hooks = [dict(type='SyncBuffersHook')]
visualizer = dict(type='mmdet.DetLocalVisualizer')
