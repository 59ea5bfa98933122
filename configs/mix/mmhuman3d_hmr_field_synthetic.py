# mmhuman3d_hmr_synthetic.py with a feature field of ImpHMR as its neck: what
# MMHuman3D's head pools is a map rendered from the field.
_base_ = './mmhuman3d_hmr_synthetic.py'

model = dict(
    architecture=dict(
        neck=dict(
            type='mmd2a.FeatureFieldNeck',
            in_channels=1280,
            embed_dims=128,
            field=dict(
                type='mmd2a.FeatureField',
                out_channels=256,
                hidden=64,
                depth=4,
                skip=2,
                position_frequencies=4,
                direction_frequencies=2,
            ),
            renderer=dict(type='mmd2a.VolumeRenderer', size=8, num_samples=16),
            as_tuple=False,
        ),
        head=dict(feat_dim=256),
    )
)
