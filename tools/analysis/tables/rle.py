# Losses of the distribution matching.
title = 'Residual log-likelihood'
config = 'configs/d2a_hmr_hrnet.py'
metrics = ['MPJPE', 'PA-MPJPE', 'PVE', 'MPJPE-z', 'PA-MPJPE-z']
rows = {
    'off': {'model.flow_head': None},
    'parity': {'model.flow_head.loss.mode': 'parity'},
    'paper': {'model.flow_head.loss.mode': 'paper'},
    'exact': {},
}
