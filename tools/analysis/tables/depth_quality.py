# What depth is worth to a model that finds the joints: the second step,
# MeshRefiner, from scratch on a first step that is strong, knows no depth and
# stays as it is: that of the weights that ship, without their second step,
#   python tools/weights/export_weights.py \
#       configs/d2a_hmr/d2a_hmr_mobilenet-v2.py \
#       mmd2a/weights/data/d2a_hmr_mobilenet-v2.safetensors first_step \
#       --parts backbone localizer patch_embedding encoder head flow_head \
#       --card tools/weights/cards/d2a_hmr_mobilenet-v2.yml \
#       --folder work_dirs/first_step
#   MMD2A_WEIGHTS=$PWD/work_dirs/first_step \
#       python tools/analysis/ablate.py tools/analysis/tables/depth_quality.py
# The reference has all parts of the others, and blanks what depth says. Level
# 1 is the degradation of the data sets, exact depth has none.
title = 'A second step on depth of several qualities'
config = 'configs/d2a_hmr/d2a_hmr_mobilenet-v2.py'
metrics = ['MPJPE', 'PA-MPJPE', 'PVE', 'MPJPE-z', 'PA-MPJPE-z']
common = {
    'load_from': 'mmd2a://first_step',
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
    'train_dataloader.dataset.num_people': 8000,
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
    'level 1': _level(1.0),
    'exact': _level(0.0),
}
