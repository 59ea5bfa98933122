# Does the gate earn its place? The drawn one mixes image, cross-attended and
# depth tokens by learned shares; against it their sum, a projection of all
# three, and depth by cross-attention alone; and no depth, which all of them
# are to beat. The head has its depth skip in all rows but the last. There is
# no second step, by which depth would come in another way.
title = 'Fusion of image and depth'
config = 'configs/d2a_hmr/d2a_hmr_mobilenet-v2.py'
metrics = ['MPJPE', 'PA-MPJPE', 'PVE', 'MPJPE-z', 'PA-MPJPE-z']
common = {
    'model.refiner': None,
    'train_dataloader.batch_size': 24,
    'train_dataloader.dataset.num_people': 6000,
    'train_cfg.max_epochs': 1,
}
rows = {
    'gate': {},
    'add': {'model.encoder.fusion': 'add'},
    'concat': {'model.encoder.fusion': 'concat'},
    'cross-attention alone': {'model.encoder.fusion': 'cross_attention'},
    'no depth': {'model.depth_branch': None},
}
