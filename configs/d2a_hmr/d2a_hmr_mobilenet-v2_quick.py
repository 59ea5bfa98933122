# What the quickstart trains: minutes on two CPU cores. Backbone and localizer,
# which take hours, start from the weights that ship; all that makes a mesh of
# what they see is learnt now. From ImageNet weights alone:
#   model.backbone.init_cfg.checkpoint=mmd2a://mobilenet-v2-imagenet
#   model.localizer.init_cfg=None
_base_ = './d2a_hmr_mobilenet-v2.py'

trained = dict(type='Pretrained', checkpoint='mmd2a://d2a_hmr_mobilenet-v2')
model = dict(
    backbone=dict(init_cfg=dict(trained, prefix='backbone.')),
    localizer=dict(init_cfg=dict(trained, prefix='localizer.')),
)

# Few people, once each epoch: no harder than those of the test.
train_pipeline = [
    dict(type='mmd2a.LoadFrame'),
    dict(
        type='mmd2a.PersonCrop',
        size=128,
        scale_jitter=0.15,
        shift_jitter=0.06,
        flip_prob=0.5,
    ),
    dict(type='mmd2a.PhotometricJitter'),
    dict(type='mmd2a.DegradeDepth'),
    dict(type='mmd2a.PackBodySample'),
]
train_dataloader = dict(
    batch_size=24,  # per process
    dataset=dict(num_people=6000, looks='plain', pipeline=train_pipeline),
)
train_cfg = dict(max_epochs=3)
