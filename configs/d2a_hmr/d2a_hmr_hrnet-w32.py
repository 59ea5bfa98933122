# HRNet-W32 backbone, 224 x 224.
_base_ = './d2a_hmr_hrnet-w64.py'

model = dict(
    backbone=dict(
        extra=dict(
            stage2=dict(num_channels=(32, 64)),
            stage3=dict(num_channels=(32, 64, 128)),
            stage4=dict(num_channels=(32, 64, 128, 256)),
        )
    ),
    patch_embedding=dict(in_channels=[32, 64, 128, 256]),
)
