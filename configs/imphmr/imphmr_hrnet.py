# A small ImpHMR on embedded people: minutes on a CPU. The paper's backbone at
# full size is imphmr_resnet50.py.
_base_ = [
    '../_base_/models/imphmr.py',
    '../_base_/backbones/small_hrnet.py',
    '../_base_/bodies/embedded.py',
    '../_base_/datasets/synthetic_people_96_rgb.py',
    '../_base_/schedules/quick.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(_delete_=True, **_base_.small_hrnet),
    # 6 x 6 tokens: the grid of the map of stride 16.
    patch_embedding=dict(
        in_channels=[16, 32, 64, 128], embed_dims=128, level=2
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
