# D2A-HMR on MobileNetV2 with a localizer and a second step: what a CPU trains
# in hours. The backbone starts from ImageNet weights, which come with the
# package; d2a_hmr_mobilenet-v2_rgb.py is a shorter way to the same place.
_base_ = [
    '../_base_/models/d2a_hmr.py',
    '../_base_/bodies/embedded.py',
    '../_base_/datasets/synthetic_people_128.py',
    '../_base_/schedules/quick.py',
    '../_base_/default_runtime.py',
]

channels = [24, 32, 96, 1280]  # strides 4, 8, 16, 32
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
    patch_embedding=dict(in_channels=channels, embed_dims=128, level=2),
    localizer=dict(type='mmd2a.JointLocalizer'),  # None: as in the paper
    encoder=dict(
        depth=2,
        num_heads=4,
        mlp_ratio=2,
        dropout=0.0,
        grid_size=(8, 8),
        masking=None,
    ),
    head=dict(type='mmd2a.CoarseMeshHead', num_coarse_vertices=216),
    refiner=dict(type='mmd2a.MeshRefiner'),  # None: as in the paper
)
