# HMR in MMHuman3D's format, small enough for tests: trained with a
# discriminator on synthetic people, read from data/ where it is run.
use_adversarial_train = True
evaluation = dict(metric=['pa-mpjpe', 'mpjpe'])
optimizer = dict(
    backbone=dict(type='Adam', lr=1e-3),
    head=dict(type='Adam', lr=1e-3),
    disc=dict(type='Adam', lr=1e-3),
)
optimizer_config = dict(grad_clip=None)
lr_config = dict(policy='step', gamma=0.1, step=[1])
runner = dict(type='EpochBasedRunner', max_epochs=2)
checkpoint_config = dict(interval=1)
log_config = dict(interval=1, hooks=[dict(type='TextLoggerHook')])
dist_params = dict(backend='nccl')
log_level = 'INFO'
load_from = None
resume_from = None
workflow = [('train', 1)]

img_res = 32
smpl = 'data/body_models/smpl'
model = dict(
    type='ImageBodyModelEstimator',
    backbone=dict(
        type='ResNet',
        depth=18,
        base_channels=8,
        stem_channels=8,
        out_indices=[3],
        norm_eval=False,
        norm_cfg=dict(type='SyncBN', requires_grad=True),
    ),
    head=dict(
        type='HMRHead',
        feat_dim=64,
        smpl_mean_params='data/body_models/smpl_mean_params.npz',
    ),
    body_model_train=dict(
        type='SMPL',
        keypoint_src='smpl_54',
        keypoint_dst='smpl_54',
        model_path=smpl,
        keypoint_approximate=True,
        extra_joints_regressor='data/body_models/J_regressor_extra.npy',
    ),
    body_model_test=dict(
        type='SMPL',
        keypoint_src='h36m',
        keypoint_dst='h36m',
        model_path=smpl,
        joints_regressor='data/body_models/J_regressor_h36m.npy',
    ),
    convention='smpl_54',
    loss_keypoints3d=dict(type='SmoothL1Loss', loss_weight=100),
    loss_keypoints2d=dict(type='SmoothL1Loss', loss_weight=10),
    loss_vertex=dict(type='L1Loss', loss_weight=2),
    loss_smpl_pose=dict(type='MSELoss', loss_weight=3),
    loss_smpl_betas=dict(type='MSELoss', loss_weight=0.02),
    loss_adv=dict(
        type='GANLoss',
        gan_type='lsgan',
        real_label_val=1.0,
        fake_label_val=0.0,
        loss_weight=1,
    ),
    disc=dict(type='SMPLDiscriminator'),
)

normalize = dict(
    type='Normalize',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    to_rgb=True,
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
meta_keys = ['image_path', 'center', 'scale', 'rotation']
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='RandomHorizontalFlip', flip_prob=0.5, convention='smpl_54'),
    dict(type='GetRandomScaleRotation', rot_factor=30, scale_factor=0.25),
    dict(type='MeshAffine', img_res=img_res),
    normalize,
    dict(type='ImageToTensor', keys=['img']),
    dict(type='ToTensor', keys=data_keys),
    dict(type='Collect', keys=['img', *data_keys], meta_keys=meta_keys),
]
adv_keys = [
    'smpl_body_pose',
    'smpl_global_orient',
    'smpl_betas',
    'smpl_transl',
]
adv_pipeline = [dict(type='Collect', keys=adv_keys, meta_keys=[])]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='GetRandomScaleRotation', rot_factor=0, scale_factor=0),
    dict(type='MeshAffine', img_res=img_res),
    normalize,
    dict(type='ImageToTensor', keys=['img']),
    dict(type='ToTensor', keys=data_keys),
    dict(type='Collect', keys=['img', *data_keys], meta_keys=meta_keys),
]
people = dict(
    type='HumanImageDataset',
    dataset_name='h36m',
    data_prefix='data',
    pipeline=train_pipeline,
    convention='smpl_54',
    ann_file='h36m_mosh_train.npz',
)
data = dict(
    samples_per_gpu=2,
    workers_per_gpu=0,
    train=dict(
        type='AdversarialDataset',
        train_dataset=dict(
            type='MixedDataset', configs=[people], partition=[1.0], num_data=4
        ),
        adv_dataset=dict(
            type='MeshDataset',
            dataset_name='cmu_mosh',
            data_prefix='data',
            pipeline=adv_pipeline,
            ann_file='cmu_mosh.npz',
        ),
    ),
    test=dict(
        type='HumanImageDataset',
        body_model=dict(
            type='GenderedSMPL',
            keypoint_src='h36m',
            keypoint_dst='h36m',
            model_path=smpl,
            joints_regressor='data/body_models/J_regressor_h36m.npy',
        ),
        dataset_name='pw3d',
        data_prefix='data',
        pipeline=test_pipeline,
        ann_file='pw3d_test.npz',
    ),
)
