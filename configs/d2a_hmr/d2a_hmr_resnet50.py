# ResNet-50 backbone, 224 x 224. From ImageNet weights, which are downloaded:
# --cfg-options model.backbone.init_cfg.type=Pretrained \
#     model.backbone.init_cfg.checkpoint=torchvision://resnet50
_base_ = './d2a_hmr_hrnet-w64.py'

model = dict(
    backbone=dict(
        _delete_=True, type='mmpose.ResNet', depth=50, out_indices=(0, 1, 2, 3)
    ),
    patch_embedding=dict(in_channels=[256, 512, 1024, 2048]),
)
