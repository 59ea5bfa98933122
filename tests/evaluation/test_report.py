import json
import math
import os

import pytest

from mmd2a.evaluation.protocols import Protocol
from mmd2a.evaluation.report import describe, write_json


def test_a_line_says_everything_the_number_depends_on():
    protocol = Protocol(
        'mine',
        'h36m14',
        ('left_hip', 'neck'),
        target='keypoints3d',
        vertex_alignment='none',
        gender='gendered',
        frames='every fifth',
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
    ):
        assert part in line


def test_json_is_valid_also_with_nan_inside(tmp_path):
    path = tmp_path / 'new' / 'folder' / 'result.json'
    write_json(path, {'a': [1.5, math.nan], 'b': {'c': math.inf}})
    assert json.loads(path.read_text()) == {'a': [1.5, None], 'b': {'c': None}}


def test_a_failed_write_keeps_the_old_file_and_leaves_no_other(
    tmp_path, monkeypatch
):
    path = tmp_path / 'result.json'
    write_json(path, 'old')

    def disk_full(_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', disk_full)
    with pytest.raises(OSError, match='No space left'):
        write_json(path, 'new')
    assert json.loads(path.read_text()) == 'old'
    assert os.listdir(tmp_path) == ['result.json']
