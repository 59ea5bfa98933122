# The paper's best backbone, HRNet-W64; crops of 224 x 224 are our choice.
_base_ = [
    '../_base_/models/d2a_hmr.py',
    '../_base_/bodies/embedded.py',
    '../_base_/datasets/synthetic_people_224.py',
    '../_base_/schedules/adamw_60e.py',
    '../_base_/default_runtime.py',
]
