# Table V of the paper, with the row it lacks: neither.
title = 'Silhouette decoder and masked modelling'
config = 'configs/d2a_hmr_hrnet.py'
metrics = ['MPJPE', 'PA-MPJPE', 'PVE', 'MPJPE-z', 'PA-MPJPE-z']
rows = {
    'neither': {
        'model.silhouette_decoder': None,
        'model.encoder.masking': None,
    },
    'silhouette': {'model.encoder.masking': None},
    'masking': {'model.silhouette_decoder': None},
    'both': {},
}
