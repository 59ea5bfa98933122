# Table III (and IV, the errors along z) of the paper, with the row it lacks:
# neither.
title = 'Depth and distribution matching'
config = 'configs/d2a_hmr_hrnet.py'
metrics = ['MPJPE', 'PA-MPJPE', 'PVE', 'MPJPE-z', 'PA-MPJPE-z']
rows = {
    'neither': {'model.depth_branch': None, 'model.flow_head': None},
    'distribution': {'model.depth_branch': None},
    'depth': {'model.flow_head': None},
    'both': {},
}
