"""Without optional libraries only what needs them is lost."""

import subprocess
import sys

import pytest

pytest.importorskip('mmhuman3d')

LIBRARIES = [
    'cdflib',
    'colormap',
    'h5py',
    'pickle5',
    'plyfile',
    'pytorch3d',
    'skimage',
    'smplx',
    'trimesh',
    'vedo',
]

CODE = f"""
import sys
for name in {LIBRARIES}:
    sys.modules[name] = None  # Python's way to say: not to be found
import torch
import mmd2a
from mmd2a.interop import status
from mmengine.registry import MODELS
model = MODELS.build(dict(type='mmhuman3d.ResNet', depth=18))
assert model(torch.zeros(2, 3, 32, 32))[-1].shape == (2, 512, 1, 1)
import mmhuman3d.apis
import mmhuman3d.core.evaluation
import mmhuman3d.core.visualization
import mmhuman3d.data.data_converters
import mmhuman3d.data.datasets
from mmhuman3d.data.data_structures.human_data import pickle
import pickle as real
assert pickle.dumps is real.dumps or 'pickle5' not in sys.modules
assert status()['mmhuman3d'].endswith(
    'stands in for {', '.join(LIBRARIES)}'), status()
try:
    MODELS.build(dict(type='mmhuman3d.SMPL', model_path='nowhere'))
except ImportError as error:
    print(error)
"""


def test_the_rest_works_without_any_of_them():
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', CODE],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert 'smplx is not installed: pip install --no-deps smplx' in done.stdout
