# A free mesh against parameters of the body, with and without a localizer.
title = 'Mesh head'
config = 'configs/d2a_hmr_hrnet.py'
metrics = ['MPJPE', 'PA-MPJPE', 'PVE', 'MPJPE-z', 'PA-MPJPE-z']
localizer = dict(type='mmd2a.JointLocalizer')
rows = {
    'coarse mesh': {},
    'coarse mesh, localizer': {'model.localizer': localizer},
    'SMPL': {'model.head.type': 'mmd2a.SMPLHead'},
    'SMPL, localizer': {
        'model.head.type': 'mmd2a.SMPLHead',
        'model.localizer': localizer,
    },
}
