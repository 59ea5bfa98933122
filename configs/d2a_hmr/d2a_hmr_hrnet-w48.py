# HRNet-W48 backbone, 224 x 224.
_base_ = './d2a_hmr_hrnet-w64.py'

model = dict(
    backbone=dict(
        extra=dict(
            stage2=dict(num_channels=(48, 96)),
            stage3=dict(num_channels=(48, 96, 192)),
            stage4=dict(num_channels=(48, 96, 192, 384)),
        )
    ),
    patch_embedding=dict(in_channels=[48, 96, 192, 384]),
)
