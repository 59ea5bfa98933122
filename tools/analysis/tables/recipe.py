# What a training of minutes learns most by: one thing is changed in each row.
# No depth, so that finding joints in pictures is all there is to learn.
title = 'One thing changed in a short training'
config = 'configs/d2a_hmr/d2a_hmr_mobilenet-v2_rgb.py'
metrics = [
    'MPJPE',
    'PA-MPJPE',
    'MPJPE-z',
    'projected-visible',
    'projected-hidden',
    'seconds_per_step',
]
# People as in the test: what harder ones cost is a row.
common = {
    'train_dataloader.dataset.looks': 'plain',
    'train_dataloader.dataset.num_people': 12000,
    'train_dataloader.dataset.pipeline.1.turn_prob': 0.0,
    'train_cfg.max_epochs': 1,
}


def _crop(size):
    return {
        f'{split}_dataloader.dataset.pipeline.1.size': size
        for split in ('train', 'val', 'test')
    }


rows = {
    'as it is': {},
    'without localizer': {'model.localizer': None},
    'localizer without blocks': {'model.localizer.num_blocks': 0},
    'heat maps weigh 0.3': {'model.localizer.heatmap_weight': 0.3},
    'from scratch': {'model.backbone.init_cfg': None},
    'crop 96': _crop(96),
    'crop 160': _crop(160),
    'SMPL head': {
        'model.head': {'_delete_': True, 'type': 'mmd2a.SMPLHead'},
        'model.flow_head': None,
    },
    'without flow': {'model.flow_head': None},
    'token masking': {
        'model.encoder.masking': {
            '_delete_': True,
            'type': 'mmd2a.TokenMasking',
            'max_ratio': 0.3,
        }
    },
    'half the learning rate': {'optim_wrapper.optimizer.lr': 5e-4},
    'batch 48': {'train_dataloader.batch_size': 48},
    'mixed looks': {'train_dataloader.dataset.looks': 'mixed'},
    'pictures turned': {'train_dataloader.dataset.pipeline.1.turn_prob': 0.25},
}
