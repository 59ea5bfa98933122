# The paper's best backbone, HRNet-W64, 224 x 224.
_base_ = [
    '_base_/models/d2a_hmr.py',
    '_base_/datasets/synthetic_people_224.py',
    '_base_/schedules/adamw_60e.py',
    '_base_/default_runtime.py',
]
