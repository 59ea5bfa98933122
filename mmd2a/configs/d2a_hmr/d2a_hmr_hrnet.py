# The main job: a small D2A-HMR on embedded people, minutes on a CPU.
# Pure-Python twin of configs/d2a_hmr_hrnet.py; a test keeps them alike.
from mmengine.config import read_base

from mmd2a.models import (
    CoarseMeshHead,
    DepthBranch,
    RLEFlowHead,
    SilhouetteDecoder,
)

with read_base():
    from .._base_.datasets.synthetic_people_96 import *
    from .._base_.default_runtime import *
    from .._base_.models.d2a_hmr import *
    from .._base_.schedules.quick import *

model.update(
    backbone=dict(
        extra=dict(
            stage1=dict(num_blocks=(1, ), num_channels=(16, )),
            stage2=dict(num_blocks=(1, 1), num_channels=(16, 32)),
            stage3=dict(
                num_modules=1,
                num_blocks=(1, 1, 1),
                num_channels=(16, 32, 64)),
            stage4=dict(
                num_modules=1,
                num_blocks=(1, 1, 1, 1),
                num_channels=(16, 32, 64, 128)))),
    # 6 x 6 tokens: the grid of the map of stride 16.
    patch_embedding=dict(
        in_channels=[16, 32, 64, 128], embed_dims=128, level=2),
    depth_branch=dict(type=DepthBranch),  # None: RGB only
    encoder=dict(
        depth=2,
        num_heads=4,
        mlp_ratio=2,
        dropout=0.,
        grid_size=(6, 6),
        masking=dict(max_ratio=.3)),  # None: off
    head=dict(type=CoarseMeshHead, num_coarse_vertices=216),
    flow_head=dict(type=RLEFlowHead, dims=3),  # None: off
    silhouette_decoder=dict(type=SilhouetteDecoder))  # None: off
