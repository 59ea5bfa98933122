# The same people without their depth and masks, which need not be read.
_base_ = './synthetic_people_128.py'

rgb = dict(type='mmd2a.LoadFrame', with_depth=False, with_mask=False)
train_pipeline = [
    rgb,
    *[
        step
        for step in _base_.train_pipeline[1:]
        if step['type'] != 'mmd2a.DegradeDepth'
    ],
]
test_pipeline = [
    rgb,
    *[
        step
        for step in _base_.test_pipeline[1:]
        if step['type'] != 'mmd2a.DegradeDepth'
    ],
]

train_dataloader = dict(batch_size=24, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
