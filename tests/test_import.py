"""`import mmd2a` is light."""

import subprocess
import sys

PROBE = """
import sys, socket
def refuse(*args, **kwargs):
    raise AssertionError('network used at import')
socket.socket.connect = socket.create_connection = refuse
import {module}
print(*sorted({{name.split('.')[0] for name in sys.modules}}))
"""


def imported_by(module: str) -> set[str]:
    out = subprocess.run(
        [sys.executable, '-c', PROBE.format(module=module)],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(out.stdout.split())


def test_importing_the_package_pulls_in_no_heavy_neighbour():
    names = imported_by('mmd2a')
    assert 'mmd2a' in names
    assert not names & {
        'mmpose',
        'mmdet',
        'mmhuman3d',
        'torchvision',
        'smplx',
        'tensorboard',
        'trimesh',
        'scipy',
    }


def test_geometry_knows_no_framework():
    assert not imported_by('mmd2a.geometry') & {'mmengine', 'mmcv', 'mmpose'}


def test_nothing_but_mmpose_is_needed_to_import_the_models():
    assert not imported_by('mmd2a.models, mmd2a.datasets') & {
        'mmpose',
        'mmdet',
        'mmhuman3d',
        'smplx',
    }
