# ImpHMR on the people, crops and initial weights of the backbone of
# d2a_hmr_mobilenet-v2_rgb.py, to stand beside it in one table.
_base_ = [
    '../_base_/models/imphmr.py',
    '../_base_/bodies/embedded.py',
    '../_base_/datasets/synthetic_people_128_rgb.py',
    '../_base_/schedules/quick.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpose.MobileNetV2',
        out_indices=(1, 2, 4, 7),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='mmd2a://mobilenet-v2-imagenet',
            prefix='backbone.',
        ),
    ),
    # 8 x 8 tokens: the grid of the map of stride 16.
    patch_embedding=dict(
        in_channels=[24, 32, 96, 1280], embed_dims=128, level=2
    ),
    field=dict(
        out_channels=64,
        hidden=64,
        depth=4,
        skip=2,
        position_frequencies=4,
        direction_frequencies=2,
    ),
    renderer=dict(size=8, num_samples=16),
)
