# Pure-Python twin of configs/_base_/default_runtime.py.
from mmengine.hooks import (
    DistSamplerSeedHook,
    IterTimerHook,
    LoggerHook,
    ParamSchedulerHook,
    RuntimeInfoHook,
    SyncBuffersHook,
)
from mmengine.runner import LogProcessor
from mmengine.visualization import LocalVisBackend, TensorboardVisBackend

from mmd2a.engine import (
    AtomicCheckpointHook,
    EpochSeedHook,
    NonFiniteGuardHook,
    ResumeHook,
)
from mmd2a.visualization import MeshVisualizationHook, MeshVisualizer

default_scope = 'mmd2a'

default_hooks = dict(
    runtime_info=dict(type=RuntimeInfoHook),
    timer=dict(type=IterTimerHook),
    logger=dict(type=LoggerHook, interval=20),
    param_scheduler=dict(type=ParamSchedulerHook),
    sampler_seed=dict(type=DistSamplerSeedHook),
    epoch_seed=dict(type=EpochSeedHook),
    resume=dict(type=ResumeHook),
    guard=dict(type=NonFiniteGuardHook),
    checkpoint=dict(
        type=AtomicCheckpointHook,
        interval=1,
        max_keep_ckpts=2,
        save_best='synthetic_h36m14/MPJPE',
        rule='less'))
custom_hooks = [
    # Statistics of BatchNorm, one for all ranks, before they are saved.
    dict(type=SyncBuffersHook),
    dict(type=MeshVisualizationHook),
]

visualizer = dict(
    type=MeshVisualizer,
    name='visualizer',
    vis_backends=[
        dict(type=LocalVisBackend),
        dict(type=TensorboardVisBackend),
    ])
log_processor = dict(type=LogProcessor, window_size=50, by_epoch=True)
log_level = 'INFO'

env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
randomness = dict(seed=0)
load_from = None
resume = False
