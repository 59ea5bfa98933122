# Embedded people, crops of 128 x 128, where joints are found to a pixel or
# two: for trainings of hours on a CPU.
_base_ = './synthetic_people_96.py'

image_size = 192
crop_size = 128

# The same transforms; the second is the crop.
train_pipeline = _base_.train_pipeline
train_pipeline[1].update(size=crop_size, scale_jitter=0.2, rotation=15)
test_pipeline = _base_.test_pipeline
test_pipeline[1].update(size=crop_size)

train_dataloader = dict(
    batch_size=48,
    dataset=dict(
        num_people=24000, image_size=image_size, pipeline=train_pipeline
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
