# A small D2A-HMR on embedded people: minutes on a CPU. The paper's best
# backbone at full size is d2a_hmr_hrnet-w64.py.
_base_ = [
    '../_base_/models/d2a_hmr.py',
    '../_base_/backbones/small_hrnet.py',
    '../_base_/bodies/embedded.py',
    '../_base_/datasets/synthetic_people_96.py',
    '../_base_/schedules/quick.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=_base_.small_hrnet,
    # 6 x 6 tokens: the grid of the map of stride 16.
    patch_embedding=dict(
        in_channels=[16, 32, 64, 128], embed_dims=128, level=2
    ),
    depth_branch=dict(type='mmd2a.DepthBranch'),  # None: RGB only
    encoder=dict(
        depth=2,
        num_heads=4,
        mlp_ratio=2,
        dropout=0.0,
        grid_size=(6, 6),
        masking=dict(max_ratio=0.3),
    ),  # None: off
    head=dict(type='mmd2a.CoarseMeshHead', num_coarse_vertices=216),
    flow_head=dict(type='mmd2a.RLEFlowHead', dims=3),  # None: off
    silhouette_decoder=dict(type='mmd2a.SilhouetteDecoder'),
)  # None: off
