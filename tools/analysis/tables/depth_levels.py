# The rows of depth_quality.py, started as it says there, and more of them:
# other levels, and the first step trained on instead of a second one.
_base_ = './depth_quality.py'
title = 'More depth of several qualities'


def _level(level):
    return {
        'train_dataloader.dataset.pipeline.5.level': level,
        'val_dataloader.dataset.pipeline.2.level': level,
        'test_dataloader.dataset.pipeline.2.level': level,
    }


rows = {
    'level 2': _level(2.0),
    'level 0.5': _level(0.5),
    'no second step': {'model.refiner': None, 'model.frozen': []},
}
