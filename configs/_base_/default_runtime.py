default_scope = 'mmd2a'

default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20),
    param_scheduler=dict(type='ParamSchedulerHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    epoch_seed=dict(type='mmd2a.EpochSeedHook'),
    resume=dict(type='mmd2a.ResumeHook'),
    guard=dict(type='mmd2a.NonFiniteGuardHook'),
    checkpoint=dict(
        type='mmd2a.AtomicCheckpointHook',
        interval=1,
        max_keep_ckpts=2,
        save_best='auto',  # the first error of the first protocol
        rule='less',
    ),
)
custom_hooks = [
    # Statistics of BatchNorm, one for all ranks, before they are saved.
    dict(type='SyncBuffersHook'),
    dict(type='mmd2a.MeshVisualizationHook'),
]

visualizer = dict(
    type='mmd2a.MeshVisualizer',
    name='visualizer',
    vis_backends=[
        dict(type='LocalVisBackend'),
        dict(type='TensorboardVisBackend'),
    ],
)
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
log_level = 'INFO'

env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
)
randomness = dict(seed=0)
load_from = None
resume = False
