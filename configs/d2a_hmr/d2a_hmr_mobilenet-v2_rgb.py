# Two processes of this, then depth: no depth, no silhouette and no second step
# let a CPU see half as many pictures again in the same time, and finding
# joints in pictures is what takes long. Depth is met afterwards:
#   tools/train.py configs/d2a_hmr/d2a_hmr_mobilenet-v2.py \
#       --cfg-options load_from=CHECKPOINT
_base_ = './d2a_hmr_mobilenet-v2.py'

model = dict(depth_branch=None, silhouette_decoder=None, refiner=None)

rgb = dict(type='mmd2a.LoadFrame', with_depth=False, with_mask=False)
train_pipeline = [
    rgb,
    *[
        step
        for step in _base_.train_pipeline[1:]
        if step['type'] != 'mmd2a.DegradeDepth'
    ],
]
test_pipeline = [rgb, _base_.test_pipeline[1], _base_.test_pipeline[3]]

train_dataloader = dict(batch_size=24, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
