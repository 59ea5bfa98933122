# The same without a discriminator: one optimiser, MMEngine's own way.
_base_ = 'hmr.py'
use_adversarial_train = False
optimizer = dict(
    _delete_=True,
    type='Adam',
    lr=1e-3,
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),
)
optimizer_config = dict(
    _delete_=True, grad_clip=dict(max_norm=10, norm_type=2)
)
lr_config = dict(_delete_=True, policy='CosineAnnealing', min_lr=0)
model = dict(disc=None, loss_adv=None)
data = dict(
    train=dict(
        _delete_=True,
        type='MixedDataset',
        configs=[{{_base_.people}}],
        partition=[1.0],
        num_data=4,
    )
)
