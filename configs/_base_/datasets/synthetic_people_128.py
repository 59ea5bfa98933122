# Embedded people, crops of 128 x 128, where joints are found to a pixel or
# two: for trainings of hours on a CPU. Training alone sees people who look
# like those of photos (every other one), people upside down, things before
# them, cut legs, boxes as of a detector and poor pictures; validation and test
# are as in the others.
_base_ = './synthetic_people_96.py'

image_size = 192
crop_size = 128

# The crop is the second. Things come before the depth is degraded, since a
# depth model would see them too.
train_pipeline = [
    dict(type='mmd2a.LoadFrame'),
    dict(
        type='mmd2a.PersonCrop',
        size=crop_size,
        scale_jitter=0.2,
        shift_jitter=0.06,
        rotation=15,
        flip_prob=0.5,
        box_jitter=0.03,
        truncation_prob=0.15,
        turn_prob=0.25,
    ),
    dict(type='mmd2a.RandomOcclusion'),
    dict(type='mmd2a.PhotometricJitter'),
    dict(type='mmd2a.DegradeImage'),
    dict(type='mmd2a.DegradeDepth'),
    dict(type='mmd2a.PackBodySample'),
]
test_pipeline = _base_.test_pipeline
test_pipeline[1].update(size=crop_size)

train_dataloader = dict(
    batch_size=48,
    dataset=dict(
        num_people=32000,
        image_size=image_size,
        looks='mixed',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    dataset=dict(image_size=image_size, pipeline=test_pipeline)
)
test_dataloader = dict(
    dataset=dict(image_size=image_size, pipeline=test_pipeline)
)

val_evaluator = [_base_.val_evaluator, dict(type='mmd2a.Keypoints2DMetric')]
test_evaluator = val_evaluator
