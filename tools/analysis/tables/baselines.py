# What D2A-HMR is worth beside what there was before it, at equal samples: same
# people, crops, initial weights of the backbone, batch and number of steps;
# seconds_per_step says what a sample costs each. The first three rows after
# the reference are MMHuman3D's, with its losses, HMR and CLIFF with its
# learning rates; the others are trained as D2A-HMR is. METRO-like: tokens of
# the image through an encoder to a coarse mesh, without METRO's template
# queries. Pooled: the mean of the last map, one hidden layer, parameters of
# the body. As drawn: the paper's parts, neither localizer nor second step.
title = 'D2A-HMR beside other methods'
config = 'configs/d2a_hmr/d2a_hmr_mobilenet-v2.py'
metrics = [
    'MPJPE',
    'PA-MPJPE',
    'PVE',
    'MPJPE-z',
    'PA-MPJPE-z',
    'seconds_per_step',
]
common = {
    'train_dataloader.batch_size': 24,
    'train_dataloader.dataset.num_people': 6000,
    'train_cfg.max_epochs': 1,
}
rgb = 'configs/d2a_hmr/d2a_hmr_mobilenet-v2_rgb.py'
plain = {'config': rgb, 'model.localizer': None, 'model.flow_head': None}
rows = {
    'D2A-HMR': {},
    'HMR': {'config': 'configs/mix/mmhuman3d_hmr_synthetic.py'},
    'PARE': {'config': 'configs/mix/mmhuman3d_pare_synthetic.py'},
    'CLIFF': {'config': 'configs/mix/mmhuman3d_cliff_synthetic.py'},
    'METRO-like, RGB': plain,
    'pooled SMPL regressor': {
        **plain,
        'model.backbone.out_indices': [7],
        'model.patch_embedding': {
            'in_channels': [1280],
            'embed_dims': 512,
            'level': -1,
        },
        'model.encoder.depth': 0,
        'model.encoder.num_heads': 1,
        'model.encoder.positional_encoding': None,
        'model.head': {
            '_delete_': True,
            'type': 'mmd2a.SMPLHead',
            'grid_size': 1,
            'reduced': 512,
            'hidden': 1024,
        },
    },
    'D2A-HMR as drawn': {
        'model.localizer': None,
        'model.refiner': None,
        'model.encoder.masking': {
            '_delete_': True,
            'type': 'mmd2a.TokenMasking',
        },
    },
    'D2A-HMR, RGB': {'config': rgb},
}
