# D2A-HMR: the parts and their order as the paper draws them, with its best
# backbone, HRNet-W64. Crop size, widths, loss weights and all else the paper
# leaves open are our choice, listed in docs/method.md.
model = dict(
    type='mmd2a.D2AHMR',
    data_preprocessor=dict(
        type='mmd2a.BodyDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        depth_dropout=0.1,  # samples that lose their depth; 0: none
    ),
    backbone=dict(
        type='mmpose.HRNet',
        in_channels=3,
        extra=dict(
            stage1=dict(
                num_modules=1,
                num_branches=1,
                block='BOTTLENECK',
                num_blocks=(4,),
                num_channels=(64,),
            ),
            stage2=dict(
                num_modules=1,
                num_branches=2,
                block='BASIC',
                num_blocks=(4, 4),
                num_channels=(64, 128),
            ),
            stage3=dict(
                num_modules=4,
                num_branches=3,
                block='BASIC',
                num_blocks=(4, 4, 4),
                num_channels=(64, 128, 256),
            ),
            stage4=dict(
                num_modules=3,
                num_branches=4,
                block='BASIC',
                num_blocks=(4, 4, 4, 4),
                num_channels=(64, 128, 256, 512),
                multiscale_output=True,
            ),
        ),
    ),
    patch_embedding=dict(
        type='mmd2a.PatchEmbedding',
        in_channels=[64, 128, 256, 512],
        embed_dims=512,
    ),
    depth_branch=dict(type='mmd2a.DepthBranch'),  # None: RGB only
    encoder=dict(
        type='mmd2a.DepthCrossAttentionEncoder',
        depth=4,
        num_heads=8,
        mlp_ratio=4,
        dropout=0.1,
        positional_encoding=dict(
            type='mmd2a.HybridPositionalEncoding', mode='hybrid'
        ),
        masking=dict(type='mmd2a.TokenMasking', max_ratio=0.3),
    ),  # None: off
    head=dict(type='mmd2a.CoarseMeshHead'),  # or mmd2a.SMPLHead
    flow_head=dict(  # None: off
        type='mmd2a.RLEFlowHead',
        dims=3,
        loss=dict(type='mmd2a.RLELoss', mode='exact', loss_weight=1.0),
    ),
    silhouette_decoder=dict(type='mmd2a.SilhouetteDecoder'),  # None: off
    objective=dict(
        type='mmd2a.MeshObjective',
        loss_vertices=dict(type='mmd2a.VertexLoss', loss_weight=10.0),
        loss_keypoints3d=dict(type='mmd2a.JointLoss', loss_weight=10.0),
        loss_keypoints2d=dict(type='mmd2a.JointLoss', loss_weight=1.0),
    ),
    loss_silhouette=dict(type='mmd2a.SilhouetteLoss', loss_weight=0.1),
)
