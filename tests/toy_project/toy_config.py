custom_imports = dict(imports=['toy_run'])
default_scope = 'mmd2a'

default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=2),
    param_scheduler=dict(type='ParamSchedulerHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    epoch_seed=dict(type='mmd2a.EpochSeedHook'),
    resume=dict(type='mmd2a.ResumeHook'),
    guard=dict(type='mmd2a.NonFiniteGuardHook'),
    checkpoint=dict(
        type='mmd2a.AtomicCheckpointHook',
        interval=1,
        max_keep_ckpts=1,
        save_best='error',
        rule='less',
    ),
)
custom_hooks = [dict(type='EMAHook')]
env_cfg = dict(mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
randomness = dict(seed=0)

model = dict(type='ToyModel')
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='ToyDataset'),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='ToyDataset'),
)
test_dataloader = val_dataloader
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=2, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
val_evaluator = dict(type='ToyMetric')
test_evaluator = val_evaluator
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=0.05),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=4),
    dict(type='CosineAnnealingLR', T_max=4, by_epoch=True),
]
