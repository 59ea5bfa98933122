# Embedded people, crops of 224 x 224, for backbones of full size.
_base_ = './synthetic_people_96.py'

image_size = 320
crop_size = 224

# The same transforms; the second is the crop.
train_pipeline = _base_.train_pipeline
train_pipeline[1].update(size=crop_size, rotation=20)
test_pipeline = _base_.test_pipeline
test_pipeline[1].update(size=crop_size)

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
