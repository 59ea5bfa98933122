# Which loss of the density is worth having, and which one bears wrong labels?
# None, and the three of RLELoss, as the labels of 0, 10, 20 or 40 % of the
# people that are seen are those of somebody turned and standing elsewhere.
# Without depth, which would cost time and says nothing of this.
_base_ = '../../../configs/d2a_hmr/d2a_hmr_mobilenet-v2_rgb.py'

title = 'Residual log-likelihood and displaced labels'
config = 'configs/d2a_hmr/d2a_hmr_mobilenet-v2_rgb.py'
metrics = ['MPJPE', 'PA-MPJPE', 'PVE', 'MPJPE-z', 'PA-MPJPE-z']
common = {
    'train_dataloader.dataset.num_people': 6000,
    'train_cfg.max_epochs': 1,
}
losses = {
    'off': {'model.flow_head': None},
    'paper': {'model.flow_head.loss.mode': 'paper'},
    'parity': {'model.flow_head.loss.mode': 'parity'},
    'exact': {'model.flow_head.loss.mode': 'exact'},
}
# Before what packs the sample, the last step. Where nobody is displaced it is
# there too: all rows see the same people in the same changes.
*steps, pack = _base_.train_pipeline
pipelines = {
    percent: [
        *steps,
        dict(type='mmd2a.DisplaceLabels', share=percent / 100),
        pack,
    ]
    for percent in (0, 10, 20, 40)
}
rows = {
    f'{name}, {percent} %': {
        **options,
        'train_dataloader.dataset.pipeline': pipeline,
    }
    for name, options in losses.items()
    for percent, pipeline in pipelines.items()
}
