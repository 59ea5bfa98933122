# What imagining is worth: ImpHMR of the photograph's view alone (phi 0), then
# its terms one after the other. Then what it is worth beside other methods at
# equal samples: same people, crops, backbone, batch and number of steps.
# D2A-HMR has its localizer and its second step, and depth where its name does
# not say RGB; HMR is MMHuman3D's, with its losses and learning rate. People
# who are mostly hidden are told apart, as 3DPW-OCC is from 3DPW.
#
# Every backbone is that of the shipped D2A-HMR, frozen but for its last
# convolution: what it sees was learned for D2A-HMR. From ImageNet, as many
# steps end near the mean pose, where no idea can be told from another.
title = 'Imagined views'
config = 'configs/imphmr/imphmr_mobilenet-v2.py'
metrics = {
    'All people': ['MPJPE', 'PA-MPJPE', 'PVE'],
    'People who are mostly hidden': [
        'synthetic_h36m14_occluded/MPJPE',
        'synthetic_h36m14_occluded/PA-MPJPE',
        'synthetic_h36m14_occluded/PVE',
    ],
    'Seven other sides: imagined, and the photograph turned': [
        'views/mean/MPJPE',
        'views/mean/MPJPE-rotated',
        'views/mean/PA-MPJPE',
        'views/mean/PA-MPJPE-rotated',
        'views/mean/IoU',
        'views/mean/IoU-rotated',
        'views/mean/IoU-decoded',
    ],
}
common = {
    'train_dataloader.batch_size': 24,
    'train_dataloader.dataset.num_people': 6000,
    'train_cfg.max_epochs': 1,
    'test_evaluator.0.protocols': [
        'synthetic_h36m14',
        'synthetic_h36m14_occluded',
    ],
}


def _row(changes, backbone='model.backbone'):
    return {
        f'{backbone}.init_cfg.checkpoint': 'mmd2a://d2a_hmr_mobilenet-v2',
        f'{backbone}.frozen_stages': 7,
        **changes,
    }


def _imphmr(changes):
    # Judged from seven sides too.
    return _row(
        {
            'model.field.conditioning': 'pixel',
            'model.views': [45, 90, 135, 180, 225, 270, 315],
            'test_evaluator.1': {
                'type': 'mmd2a.ViewMetric',
                'protocol': 'synthetic_h36m14',
            },
            **changes,
        }
    )


rows = {
    'phi 0 only': _imphmr(
        {
            'model.imagination': None,
            'model.silhouette_decoder': None,
            'model.consistency': None,
        }
    ),
    '+ L_imag without silhouette': _imphmr(
        {'model.silhouette_decoder': None, 'model.consistency': None}
    ),
    '+ silhouette': _imphmr({'model.consistency': None}),
    '+ L_cons': _imphmr({}),
    'D2A-HMR': _row({'config': 'configs/d2a_hmr/d2a_hmr_mobilenet-v2.py'}),
    'D2A-HMR, RGB': _row(
        {'config': 'configs/d2a_hmr/d2a_hmr_mobilenet-v2_rgb.py'}
    ),
    'HMR': _row(
        {'config': 'configs/mix/mmhuman3d_hmr_synthetic.py'},
        'model.architecture.backbone',
    ),
}
