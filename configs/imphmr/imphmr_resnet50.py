# ResNet-50 as in the paper, 224 x 224. From ImageNet weights, which are
# downloaded: --cfg-options model.backbone.init_cfg.type=Pretrained \
#     model.backbone.init_cfg.checkpoint=torchvision://resnet50
_base_ = [
    '../_base_/models/imphmr.py',
    '../_base_/bodies/embedded.py',
    '../_base_/datasets/synthetic_people_224_rgb.py',
    '../_base_/schedules/adamw_60e.py',
    '../_base_/default_runtime.py',
]
