# Embedded people, small crops: what a CPU learns from in minutes. People are
# read in the training process (num_workers=0): with one process per core there
# is no core left for a reader. With a GPU, give it readers.
data_root = 'data/synthetic_people'
image_size = 160
crop_size = 96
joint_set = 'h36m14'

train_pipeline = [
    dict(type='mmd2a.LoadFrame'),
    dict(
        type='mmd2a.PersonCrop',
        size=crop_size,
        scale_jitter=0.15,
        shift_jitter=0.06,
        flip_prob=0.5,
    ),
    dict(type='mmd2a.PhotometricJitter'),
    dict(type='mmd2a.DegradeDepth'),
    dict(type='mmd2a.PackBodySample'),
]
test_pipeline = [
    dict(type='mmd2a.LoadFrame'),
    dict(type='mmd2a.PersonCrop', size=crop_size),
    dict(type='mmd2a.DegradeDepth'),
    dict(type='mmd2a.PackBodySample'),
]

train_dataloader = dict(
    batch_size=24,  # per process
    num_workers=0,
    worker_init_fn=dict(type='mmd2a.init_worker'),
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='mmd2a.SyntheticPeople',
        data_root=data_root,
        split='train',
        num_people=6000,
        image_size=image_size,
        joint_set=joint_set,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=48,
    num_workers=0,
    persistent_workers=False,
    worker_init_fn=dict(type='mmd2a.init_worker'),
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='mmd2a.SyntheticPeople',
        data_root=data_root,
        split='val',
        num_people=200,
        image_size=image_size,
        joint_set=joint_set,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    val_dataloader,
    dataset=dict(val_dataloader['dataset'], split='test', num_people=600),
)

val_evaluator = dict(type='mmd2a.MeshMetric', protocols=('synthetic_h36m14',))
test_evaluator = val_evaluator
