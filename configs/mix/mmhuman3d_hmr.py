# HMR as MMHuman3D has it, in its own format of configs, small enough for a
# laptop. Needs mmhuman3d and smplx, no licensed file:
#   python tools/data/make_mmhuman3d_stand_ins.py --out data
#   python tools/train.py configs/mix/mmhuman3d_hmr.py
img_res = 224
convention = 'smpl_54'

evaluation = dict(interval=5, metric=['pa-mpjpe', 'mpjpe'])
optimizer = dict(type='Adam', lr=2.5e-4)
optimizer_config = dict(grad_clip=dict(max_norm=10.0))
lr_config = dict(policy='Fixed', by_epoch=False)
runner = dict(type='EpochBasedRunner', max_epochs=50)
checkpoint_config = dict(interval=5)
log_config = dict(interval=10, hooks=[dict(type='TextLoggerHook')])
log_level = 'INFO'
load_from = None
resume_from = None
workflow = [('train', 1)]

regressor = 'data/body_models/J_regressor_h36m.npy'
model = dict(
    type='ImageBodyModelEstimator',
    backbone=dict(
        type='ResNet',
        depth=18,
        out_indices=[3],
        norm_eval=False,
        norm_cfg=dict(type='SyncBN', requires_grad=True),
    ),
    head=dict(
        type='HMRHead',
        feat_dim=512,
        smpl_mean_params='data/body_models/smpl_mean_params.npz',
    ),
    body_model_train=dict(
        type='SMPL',
        keypoint_src=convention,
        keypoint_dst=convention,
        keypoint_approximate=True,
        model_path='data/body_models/smpl',
        extra_joints_regressor='data/body_models/J_regressor_extra.npy',
    ),
    body_model_test=dict(
        type='SMPL',
        keypoint_src='h36m',
        keypoint_dst='h36m',
        model_path='data/body_models/smpl',
        joints_regressor=regressor,
    ),
    convention=convention,
    loss_keypoints3d=dict(type='SmoothL1Loss', loss_weight=100),
    loss_keypoints2d=dict(type='SmoothL1Loss', loss_weight=10),
    loss_vertex=dict(type='L1Loss', loss_weight=2),
    loss_smpl_pose=dict(type='MSELoss', loss_weight=3),
    loss_smpl_betas=dict(type='MSELoss', loss_weight=0.02),
)

img_norm_cfg = dict(
    mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
)
data_keys = [
    'has_smpl',
    'smpl_body_pose',
    'smpl_global_orient',
    'smpl_betas',
    'smpl_transl',
    'keypoints2d',
    'keypoints3d',
    'sample_idx',
]
collect = dict(
    type='Collect',
    keys=['img', *data_keys],
    meta_keys=['image_path', 'center', 'scale', 'rotation'],
)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='RandomChannelNoise', noise_factor=0.4),
    dict(type='RandomHorizontalFlip', flip_prob=0.5, convention=convention),
    dict(type='GetRandomScaleRotation', rot_factor=30, scale_factor=0.25),
    dict(type='MeshAffine', img_res=img_res),
    dict(type='Normalize', **img_norm_cfg),
    dict(type='ImageToTensor', keys=['img']),
    dict(type='ToTensor', keys=data_keys),
    collect,
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='GetRandomScaleRotation', rot_factor=0, scale_factor=0),
    dict(type='MeshAffine', img_res=img_res),
    dict(type='Normalize', **img_norm_cfg),
    dict(type='ImageToTensor', keys=['img']),
    dict(type='ToTensor', keys=data_keys),
    collect,
]
people = dict(
    type='HumanImageDataset', dataset_name='pw3d', data_prefix='data'
)
test_people = dict(
    body_model=dict(
        type='GenderedSMPL',
        keypoint_src='h36m',
        keypoint_dst='h36m',
        model_path='data/body_models/smpl',
        joints_regressor=regressor,
    ),
    pipeline=test_pipeline,
    ann_file='pw3d_test.npz',
    **people,
)
data = dict(
    samples_per_gpu=16,
    workers_per_gpu=1,
    train=dict(
        pipeline=train_pipeline,
        convention=convention,
        ann_file='pw3d_train.npz',
        **people,
    ),
    val=test_people,
    test=test_people,
)
