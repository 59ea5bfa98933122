# CLIFF of MMHuman3D beside mmhuman3d_hmr_synthetic.py: its head is told where
# in the full image the crop is, and its 2-D loss is taken there. Losses, which
# are HMR's, and learning rate of MMHuman3D's cliff/resnet50_pw3d_cache.py.
_base_ = './mmhuman3d_hmr_synthetic.py'

model = dict(
    architecture=dict(
        type='CliffImageBodyModelEstimator', head=dict(type='CliffHead')
    )
)
optim_wrapper = dict(optimizer=dict(lr=3e-4))
