# A small HRNet, for crops of about 96: four maps of 16, 32, 64, 128 channels.
small_hrnet = dict(
    type='mmpose.HRNet',
    in_channels=3,
    extra=dict(
        stage1=dict(
            num_modules=1,
            num_branches=1,
            block='BOTTLENECK',
            num_blocks=(1,),
            num_channels=(16,),
        ),
        stage2=dict(
            num_modules=1,
            num_branches=2,
            block='BASIC',
            num_blocks=(1, 1),
            num_channels=(16, 32),
        ),
        stage3=dict(
            num_modules=1,
            num_branches=3,
            block='BASIC',
            num_blocks=(1, 1, 1),
            num_channels=(16, 32, 64),
        ),
        stage4=dict(
            num_modules=1,
            num_branches=4,
            block='BASIC',
            num_blocks=(1, 1, 1, 1),
            num_channels=(16, 32, 64, 128),
            multiscale_output=True,
        ),
    ),
)
