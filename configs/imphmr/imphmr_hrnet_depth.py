# imphmr_hrnet.py whose field is seeded by depth: beyond the paper.
_base_ = './imphmr_hrnet.py'

model = dict(
    depth_seed=dict(type='mmd2a.DepthSeed'),
    # Samples that lose their depth, so that people without have been met.
    data_preprocessor=dict(depth_dropout=0.1),
)

frame = dict(type='mmd2a.LoadFrame', with_mask=False)
degrade = dict(type='mmd2a.DegradeDepth')
train_pipeline = [
    frame,
    *_base_.train_pipeline[1:-1],
    degrade,
    _base_.train_pipeline[-1],
]
test_pipeline = [
    frame,
    *_base_.test_pipeline[1:-1],
    degrade,
    _base_.test_pipeline[-1],
]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
