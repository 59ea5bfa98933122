# The main job on a backbone of MMPretrain, any of which fits: one that gives
# feature maps. Pretrained weights, as MMPretrain's own configs name them, go
# into backbone.init_cfg.
_base_ = '../d2a_hmr/d2a_hmr_hrnet.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.MobileNetV3',
        arch='small',
        out_indices=(1, 3, 8, 12),
    ),  # strides 4, 8, 16, 32
    patch_embedding=dict(in_channels=[16, 24, 48, 576]),
)
