# Embedded people with COCO's keypoints, for models and metrics of mmpose. The
# config that takes this adds the pipelines of its input and its codec.
_base_ = './synthetic_people_96.py'

joint_set = 'coco17'

train_dataloader = dict(
    batch_size=32, dataset=dict(num_people=2000, joint_set=joint_set)
)
val_dataloader = dict(dataset=dict(joint_set=joint_set))
test_dataloader = dict(dataset=dict(joint_set=joint_set))

# The truth travels with the samples: no annotation file.
val_evaluator = [
    dict(type='mmpose.PCKAccuracy', thr=0.1),
    dict(type='mmpose.EPE'),
    dict(type='mmpose.CocoMetric'),
]
test_evaluator = val_evaluator
