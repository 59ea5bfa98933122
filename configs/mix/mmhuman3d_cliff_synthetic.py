# CLIFF of MMHuman3D beside mmhuman3d_hmr_synthetic.py: its head is told where
# in the full image the crop is, and its 2-D loss is taken there. Losses of
# MMHuman3D's cliff/resnet50_pw3d_cache.py, which are HMR's.
_base_ = './mmhuman3d_hmr_synthetic.py'

model = dict(
    architecture=dict(
        type='CliffImageBodyModelEstimator', head=dict(type='CliffHead')
    )
)
