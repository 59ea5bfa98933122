# HMR in MMHuman3D's own format of configs, with parts of this package: depth
# beside colour, the depth encoder as neck, distribution matching and a
# silhouette decoder as additions to the head. Needs mmhuman3d and smplx.
#   python tools/data/make_mmhuman3d_stand_ins.py --out data
#   python tools/train.py configs/mix/mmhuman3d_hmr_d2a.py
#   bash tools/dist_test.sh configs/mix/mmhuman3d_hmr_d2a.py \
#       work_dirs/mmhuman3d_hmr_d2a/epoch_50.pth 2
_base_ = ['mmhuman3d_hmr.py']

embed_dims = 256
model = dict(
    type='mmd2a.D2ABodyModelEstimator',
    backbone=dict(
        _delete_=True,
        type='mmd2a.RGBDBackbone',  # takes colour, depth and its validity
        backbone=dict(
            type='mmhuman3d.ResNet',
            depth=18,
            out_indices=[3],
            norm_eval=False,
            norm_cfg=dict(type='SyncBN', requires_grad=True),
        ),
        depth_branch=dict(type='mmd2a.DepthBranch'),
    ),
    neck=dict(
        type='mmd2a.DepthCrossAttentionNeck',
        in_channels=512,
        embed_dims=embed_dims,
        depth=2,
        grid_size=(7, 7),
    ),
    head=dict(feat_dim=embed_dims),
    flow_head=dict(
        type='mmd2a.RLEFlowHead',
        in_channels=embed_dims,
        loss=dict(type='mmd2a.RLELoss', loss_weight=0.1),
    ),
    silhouette_decoder=dict(
        type='mmd2a.SilhouetteDecoder',
        in_channels=embed_dims,
        skip_channels=512,
    ),
    loss_silhouette=dict(type='mmd2a.SilhouetteLoss'),
)

img_res = _base_.img_res
data_keys = _base_.data_keys
meta_keys = ['image_path', 'center', 'scale', 'rotation']
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='mmd2a.LoadDepthForMMHuman3D',
        depth_suffix='_depth.npy',
        mask_suffix='_mask.npy',
    ),
    dict(type='mmd2a.DegradeDepth', drop_prob=0.1),
    dict(type='RandomChannelNoise', noise_factor=0.4),
    dict(type='mmd2a.StackDepth'),
    dict(type='RandomHorizontalFlip', flip_prob=0.5, convention='smpl_54'),
    dict(type='GetRandomScaleRotation', rot_factor=30, scale_factor=0.25),
    dict(type='MeshAffine', img_res=img_res),
    dict(type='mmd2a.WarpMaskForMMHuman3D'),
    dict(type='mmd2a.NormalizeRGBD'),
    dict(type='ImageToTensor', keys=['img']),
    dict(type='ToTensor', keys=data_keys),
    dict(
        type='Collect', keys=['img', 'mask', *data_keys], meta_keys=meta_keys
    ),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='mmd2a.LoadDepthForMMHuman3D',
        depth_suffix='_depth.npy',
        test_mode=True,
    ),
    dict(type='mmd2a.DegradeDepth'),
    dict(type='mmd2a.StackDepth'),
    dict(type='GetRandomScaleRotation', rot_factor=0, scale_factor=0),
    dict(type='MeshAffine', img_res=img_res),
    dict(type='mmd2a.NormalizeRGBD'),
    dict(type='ImageToTensor', keys=['img']),
    dict(type='ToTensor', keys=data_keys),
    dict(type='Collect', keys=['img', *data_keys], meta_keys=meta_keys),
]
data = dict(
    train=dict(pipeline=train_pipeline),
    val=dict(pipeline=test_pipeline),
    test=dict(pipeline=test_pipeline),
)
