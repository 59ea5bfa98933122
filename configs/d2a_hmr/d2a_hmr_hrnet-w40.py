# HRNet-W40 backbone, 224 x 224.
_base_ = './d2a_hmr_hrnet-w64.py'

model = dict(
    backbone=dict(
        extra=dict(
            stage2=dict(num_channels=(40, 80)),
            stage3=dict(num_channels=(40, 80, 160)),
            stage4=dict(num_channels=(40, 80, 160, 320)),
        )
    ),
    patch_embedding=dict(in_channels=[40, 80, 160, 320]),
)
