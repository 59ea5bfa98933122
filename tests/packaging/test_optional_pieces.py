"""Without an optional package, only what needs it fails, and says so."""

import importlib.util
import sys

import pytest
from mmengine.config import Config

from mmd2a.cli.tool_config import UsageError, check_packages

# Make modules look as if they were not installed.
HIDE = """
import sys
from importlib.machinery import PathFinder
hidden = set({hidden!r})

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.split('.')[0] not in hidden:
            return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
import warnings
warnings.simplefilter('ignore')
"""
OPTIONAL = (
    'mmpretrain',
    'mmhuman3d',
    'smplx',
    'torchvision',
    'tensorboard',
    'h5py',
    'trimesh',
    'einops',
    'pycocotools',
    'shapely',
    'skimage',
    'terminaltables',
    'modelindex',
    'mat4py',
    'json_tricks',
)
STEP = """
import torch, mmd2a
from mmd2a.registry import MODELS
from mmd2a.utils import register_all_modules
register_all_modules()
from mmengine.hub import get_config
from mmd2a.cli.tool_config import check_packages
cfg = get_config('mmd2a::d2a_hmr/d2a_hmr_hrnet.py')
# As the error for a missing logger says.
cfg.visualizer.vis_backends = [dict(type='LocalVisBackend')]
check_packages(cfg)
model = MODELS.build(cfg.model)
output = model(dict(img=torch.zeros(2, 3, 96, 96), has_depth=torch.ones(2),
                    depth=torch.zeros(2, 2, 96, 96)))
output['vertices'].sum().backward()
print(mmd2a.interop.status()['mmhuman3d'])
"""


def test_the_main_model_needs_nothing_but_mmpose(run_in):
    pytest.importorskip('mmpose')
    out = run_in(sys.executable, '-c', HIDE.format(hidden=OPTIONAL) + STEP)
    assert out.strip() == 'mmhuman3d is not installed'


@pytest.mark.parametrize(
    'hidden, name, told',
    [
        (
            'mmpose',
            'mmpose.HRNet',
            'mmpose is not installed.*install.sh runtime',
        ),
        ('mmdet', 'mmpose.HRNet', 'mmdet, which mmpose needs'),
        (
            'pycocotools',
            'mmdet.ResNet',
            'pycocotools, which mmdet needs.*install.sh full',
        ),
        ('einops', 'mmpretrain.ResNet', 'einops, which mmpretrain needs'),
    ],
)
def test_a_missing_package_is_named_with_the_command(
    hidden, name, told, monkeypatch
):
    pytest.importorskip(name.split('.')[0])
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        'find_spec',
        lambda module: None if module == hidden else find_spec(module),
    )
    with pytest.raises(UsageError, match=told):
        check_packages(Config(dict(model=dict(type=name))))


def test_the_default_scope_needs_its_package_too(monkeypatch):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda module: None)
    with pytest.raises(UsageError, match='uses mmdet, but mmdet is'):
        check_packages(Config(dict(default_scope='mmdet')))


def test_without_tensorboard_the_logger_says_what_to_install(run_in):
    out = run_in(
        sys.executable,
        '-c',
        HIDE.format(hidden=['tensorboard'])
        + """
import mmd2a
from mmengine.visualization import TensorboardVisBackend
try:
    TensorboardVisBackend(save_dir='.').experiment
except ImportError as error:
    print(error)
""",
    )
    assert 'tensorboard' in out
