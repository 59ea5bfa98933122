import math

from mmd2a.evaluation.protocols import Protocol
from mmd2a.evaluation.report import describe


def test_a_line_says_everything_the_number_depends_on():
    protocol = Protocol(
        'mine',
        'h36m14',
        ('left_hip', 'neck'),
        target='keypoints3d',
        vertex_alignment='none',
        gender='gendered',
        frames='every fifth',
        min_hidden=0.25,
    )
    line = describe(
        protocol,
        {'h36m14': '01234567'},
        {
            'MPJPE': 80.0,
            'PVE': math.nan,
            'num_samples': 4,
            'num_meshes': 0,
            'num_skipped': 1,
        },
    )
    for part in (
        'mine: MPJPE 80.00, PVE nan mm',
        '4 samples',
        '0 meshes',
        '1 skipped',
        'h36m14 01234567',
        'left_hip+neck',
        'keypoints3d',
        'alignment none',
        'gendered',
        'every fifth',
        'at least 25% of their joints hidden',
    ):
        assert part in line
