# Embedded people, crops of 224 x 224, for backbones of full size.
_base_ = './synthetic_people_96.py'

image_size = 320

train_pipeline = [
    dict(type='mmd2a.LoadFrame'),
    dict(
        type='mmd2a.PersonCrop',
        size=224,
        scale_jitter=0.15,
        shift_jitter=0.06,
        rotation=20,
        flip_prob=0.5,
    ),
    dict(type='mmd2a.PhotometricJitter'),
    dict(type='mmd2a.DegradeDepth'),
    dict(type='mmd2a.PackBodySample'),
]
test_pipeline = [
    dict(type='mmd2a.LoadFrame'),
    dict(type='mmd2a.PersonCrop', size=224),
    dict(type='mmd2a.DegradeDepth'),
    dict(type='mmd2a.PackBodySample'),
]

train_dataloader = dict(
    batch_size=32,
    num_workers=4,
    dataset=dict(
        num_people=50000, image_size=image_size, pipeline=train_pipeline
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=4,
    dataset=dict(
        num_people=1000, image_size=image_size, pipeline=test_pipeline
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=4,
    dataset=dict(
        num_people=2000, image_size=image_size, pipeline=test_pipeline
    ),
)
