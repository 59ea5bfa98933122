# What depth is worth to a model that finds the joints: the second step,
# MeshRefiner, on a first step that is strong, knows no depth and stays as it
# is. The reference has all parts of the others, and blanks what depth says;
# level 0 is exact depth, level 1 the degradation of the data sets.
title = 'A second step on depth of several qualities'
config = 'configs/d2a_hmr/d2a_hmr_mobilenet-v2.py'
metrics = ['MPJPE', 'PA-MPJPE', 'PVE', 'MPJPE-z', 'PA-MPJPE-z']
common = {
    'load_from': 'mmd2a://d2a_hmr_mobilenet-v2',
    'model.depth_branch': None,
    'model.silhouette_decoder': None,
    'model.frozen': [
        'backbone',
        'localizer',
        'patch_embedding',
        'encoder',
        'head',
        'flow_head',
    ],
    'model.data_preprocessor.depth_dropout': 0.0,
    'train_dataloader.dataset.num_people': 12000,
    'train_cfg.max_epochs': 1,
}


def _level(level):
    return {
        'train_dataloader.dataset.pipeline.5.level': level,
        'val_dataloader.dataset.pipeline.2.level': level,
        'test_dataloader.dataset.pipeline.2.level': level,
    }


rows = {
    'depth blanked': {'model.refiner.use_depth': False},
    'level 2': _level(2.0),
    'level 1': _level(1.0),
    'level 0.5': _level(0.5),
    'exact': _level(0.0),
    'no second step': {'model.refiner': None, 'model.frozen': []},
}
