# Positional encodings of the encoder; the paper compares none.
title = 'Positional encoding'
config = 'configs/d2a_hmr_hrnet.py'
metrics = ['MPJPE', 'PA-MPJPE', 'PVE', 'MPJPE-z', 'PA-MPJPE-z']
rows = {
    'hybrid': {},
    'sinusoidal': {'model.encoder.positional_encoding.mode': 'sinusoidal'},
    'learnable': {'model.encoder.positional_encoding.mode': 'learnable'},
    'none': {'model.encoder.positional_encoding.mode': 'none'},
}
