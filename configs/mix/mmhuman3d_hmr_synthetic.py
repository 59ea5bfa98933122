# HMR of MMHuman3D, network and losses, on the people, crops and initial
# weights of d2a_hmr_mobilenet-v2_rgb.py, and evaluated as that is: a baseline.
# Losses and learning rate are those of MMHuman3D's hmr/resnet50_hmr_pw3d.py,
# without its discriminator, which learns from motion capture; with the rate of
# D2A-HMR its iterated head does not settle. Needs mmhuman3d.
_base_ = '../d2a_hmr/d2a_hmr_mobilenet-v2_rgb.py'

model = dict(
    _delete_=True,
    type='mmd2a.MMHuman3DMeshEstimator',
    data_preprocessor=dict(type='mmd2a.BodyDataPreprocessor'),
    architecture=dict(
        type='ImageBodyModelEstimator',
        backbone=dict(_base_.model.backbone, out_indices=(7,)),
        head=dict(type='HMRHead', feat_dim=1280),
        loss_keypoints3d=dict(type='SmoothL1Loss', loss_weight=100),
        loss_keypoints2d=dict(type='SmoothL1Loss', loss_weight=10),
        loss_vertex=dict(type='L1Loss', loss_weight=2),
        loss_smpl_pose=dict(type='MSELoss', loss_weight=3),
        loss_smpl_betas=dict(type='MSELoss', loss_weight=0.02),
    ),
)
optim_wrapper = dict(optimizer=dict(lr=2.5e-4))
