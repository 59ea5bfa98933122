# ImpHMR: a field of the person, rendered from any angle. The parts and the
# terms are the paper's; the field's layers, rays, samples, loss weights and
# all else it leaves open are our choice, listed in docs/imphmr.md.
model = dict(
    type='mmd2a.ImpHMR',
    data_preprocessor=dict(
        type='mmd2a.BodyDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(type='mmpose.ResNet', depth=50, out_indices=(0, 1, 2, 3)),
    patch_embedding=dict(
        type='mmd2a.PatchEmbedding',
        in_channels=[256, 512, 1024, 2048],
        embed_dims=512,
    ),
    field=dict(
        type='mmd2a.FeatureField',
        out_channels=256,
        hidden=128,
        depth=8,
        skip=4,
        position_frequencies=10,
        direction_frequencies=4,  # None: the field is not told the angle
        conditioning='global',  # or film, pixel
    ),
    renderer=dict(type='mmd2a.VolumeRenderer', size=16, num_samples=64),
    head=dict(type='mmd2a.SMPLHead', iterations=3),
    yaw=dict(type='mmd2a.UniformYaw', reach=3.141592653589793),  # p(phi)
    num_views=2,
    # L_reg
    objective=dict(
        type='mmd2a.MeshObjective',
        loss_vertices=None,
        loss_keypoints3d=dict(type='mmd2a.JointLoss', loss_weight=10.0),
        loss_keypoints2d=dict(type='mmd2a.JointLoss', loss_weight=1.0),
        loss_pose=dict(type='mmd2a.JointLoss', loss_weight=5.0),
        loss_betas=dict(type='mmd2a.JointLoss', loss_weight=0.1),
    ),
    # L_imag; None: off
    imagination=dict(
        type='mmd2a.MeshObjective',
        loss_vertices=None,
        loss_keypoints3d=dict(type='mmd2a.JointLoss', loss_weight=10.0),
        loss_keypoints2d=None,
        loss_pose=dict(type='mmd2a.JointLoss', loss_weight=5.0),
        loss_betas=dict(type='mmd2a.JointLoss', loss_weight=0.1),
    ),
    silhouette_decoder=dict(type='mmd2a.SilhouetteDecoder'),  # None: off
    loss_silhouette=dict(type='mmd2a.SilhouetteLoss', loss_weight=0.1),
    # L_cons; None: off
    consistency=dict(
        type='mmd2a.ViewConsistency',
        loss_pose=dict(type='mmd2a.JointLoss', loss_weight=1.0),
        loss_betas=dict(type='mmd2a.JointLoss', loss_weight=0.1),
    ),
)
