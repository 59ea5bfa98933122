# Table VI of the paper with backbones that a CPU trains: which one sees most
# for its time. All learn from scratch but the last, which says what ImageNet
# weights are worth on so few samples. Without the second step.
title = 'Backbone'
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
    'model.refiner': None,
    'train_dataloader.batch_size': 24,
    'train_dataloader.dataset.num_people': 6000,
    'train_cfg.max_epochs': 1,
}


def _hrnet(width):
    channels = [width, 2 * width, 4 * width, 8 * width]
    stages = {
        f'stage{n}': {
            'num_modules': 1,
            'num_branches': n,
            'block': 'BOTTLENECK' if n == 1 else 'BASIC',
            'num_blocks': (1,) * n,
            'num_channels': channels[:n],
        }
        for n in (1, 2, 3, 4)
    }
    stages['stage4']['multiscale_output'] = True
    return {
        'model.backbone': {
            '_delete_': True,
            'type': 'mmpose.HRNet',
            'in_channels': 3,
            'extra': stages,
        },
        'model.patch_embedding.in_channels': channels,
    }


def _resnet(depth, channels):
    return {
        'model.backbone': {
            '_delete_': True,
            'type': 'mmpose.ResNet',
            'depth': depth,
            'out_indices': (0, 1, 2, 3),
        },
        'model.patch_embedding.in_channels': channels,
    }


rows = {
    'MobileNetV2': {'model.backbone.init_cfg': None},
    'HRNet, 16 channels': _hrnet(16),
    'ResNet-18': _resnet(18, [64, 128, 256, 512]),
    'MobileNetV2, ImageNet': {},
}
