# SPIN: labels are improved by fitting the body to keypoints as it trains.
_base_ = 'hmr.py'
optimizer = dict(
    _delete_=True,
    backbone=dict(type='Adam', lr=1e-3),
    head=dict(type='Adam', lr=1e-3),
)
img_res = 32
body = dict(
    type='SMPL',
    keypoint_src='smpl_54',
    keypoint_dst='smpl_49',
    keypoint_approximate=True,
    model_path='data/body_models/smpl',
    extra_joints_regressor='data/body_models/J_regressor_extra.npy',
)
registrant = dict(
    type='SMPLify',
    body_model=body,
    num_epochs=1,
    stages=[
        dict(
            num_iter=2,
            fit_global_orient=True,
            fit_transl=True,
            fit_body_pose=False,
            fit_betas=False,
        ),
        dict(
            num_iter=2,
            fit_global_orient=True,
            fit_transl=False,
            fit_body_pose=True,
            fit_betas=True,
        ),
    ],
    optimizer=dict(type='Adam', lr=1e-2, betas=(0.9, 0.999)),
    keypoints2d_loss=dict(
        type='KeypointMSELoss', loss_weight=1.0, reduction='sum', sigma=100
    ),
    shape_prior_loss=dict(
        type='ShapePriorLoss', loss_weight=5.0**2, reduction='sum'
    ),
    joint_prior_loss=dict(
        type='JointPriorLoss', loss_weight=15.2**2, reduction='sum'
    ),
    pose_prior_loss=dict(
        type='MaxMixturePrior',
        prior_folder='data',
        num_gaussians=8,
        loss_weight=4.78**2,
        reduction='sum',
    ),
    ignore_keypoints=[
        'neck_openpose',
        'right_hip_openpose',
        'left_hip_openpose',
        'right_hip_extra',
        'left_hip_extra',
    ],
    camera=dict(
        type='PerspectiveCameras',
        convention='opencv',
        in_ndc=False,
        focal_length=5000,
        image_size=(img_res, img_res),
        principal_point=(img_res / 2, img_res / 2),
    ),
)
model = dict(
    disc=None,
    loss_adv=None,
    convention='smpl_49',
    body_model_train=body,
    registration=dict(mode='in_the_loop', registrant=registrant),
    loss_camera=dict(type='CameraPriorLoss', loss_weight=60),
)
data_keys = [
    'has_smpl',
    'smpl_body_pose',
    'smpl_global_orient',
    'smpl_betas',
    'smpl_transl',
    'keypoints2d',
    'keypoints3d',
    'is_flipped',
    'rotation',
    'sample_idx',
]
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='RandomHorizontalFlip', flip_prob=0.5, convention='smpl_49'),
    dict(type='GetRandomScaleRotation', rot_factor=30, scale_factor=0.25),
    dict(type='MeshAffine', img_res=img_res),
    {{_base_.normalize}},
    dict(type='ImageToTensor', keys=['img']),
    dict(type='ToTensor', keys=data_keys),
    dict(
        type='Collect',
        keys=['img', *data_keys],
        meta_keys=['dataset_name', 'image_path'],
    ),
]
data = dict(
    train=dict(
        _delete_=True,
        type='MixedDataset',
        # Only the first has poses; the second is what registration is for.
        configs=[
            dict(
                type='HumanImageDataset',
                dataset_name=name,
                data_prefix='data',
                pipeline=train_pipeline,
                convention='smpl_49',
                ann_file=file,
            )
            for name, file in (
                ('h36m', 'h36m_mosh_train.npz'),
                ('coco', 'spin_coco_2014_train.npz'),
            )
        ],
        partition=[0.5, 0.5],
        num_data=4,
    )
)
