# PARE of MMHuman3D beside mmhuman3d_hmr_synthetic.py. Losses of MMHuman3D's
# pare/hrnet_w32_conv_pare_mix.py, where parts guide attention but are not
# supervised. Its head for backbones without HRNet's fine maps: three
# deconvolutions to stride 4, where HRNet's are. The learning rate is that of
# D2A-HMR: MMHuman3D's is for going on from weights that know people.
_base_ = './mmhuman3d_hmr_synthetic.py'

model = dict(
    architecture=dict(
        head=dict(
            _delete_=True,
            type='PareHead',
            backbone='mobilenet-v2',
            num_input_features=1280,
            num_deconv_layers=3,
            num_deconv_filters=(128, 128, 128),
            use_heatmaps='part_segm',
            use_keypoint_attention=True,
        ),
        loss_keypoints3d=dict(type='MSELoss', loss_weight=300),
        loss_keypoints2d=dict(type='MSELoss', loss_weight=150),
        loss_vertex=None,
        loss_smpl_pose=dict(type='MSELoss', loss_weight=60),
        loss_smpl_betas=dict(type='MSELoss', loss_weight=0.06),
        loss_camera=dict(type='CameraPriorLoss', loss_weight=1),
    )
)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
