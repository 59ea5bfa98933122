"""A config brings a package of mmcv 1.x with it, through the tool."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmd2a.cli.tool_config import UsageError, read_config

pytest.importorskip('mmhuman3d')

ROOT = Path(__file__).parents[4]
PROJECT = ROOT / 'tests' / 'toy_project'
# As a project beside MMHuman3D looks: mmcv 1.x at the top, its registry.
MODELS = """
import mmcv
from mmcv.runner import BaseModule
from mmcv.runner.hooks.lr_updater import LrUpdaterHook
from mmcv.utils import Registry
from mmhuman3d.models.heads.builder import HEADS
from torch import nn

assert mmcv.__version__.startswith('1.')


@HEADS.register_module()
class OldHead(BaseModule):
    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.layer = nn.Linear(4, 1)

    def forward(self, x):
        return self.layer(x)
"""
NEW = """
from toy_run import ToyModel
from mmd2a.registry import MODELS


@MODELS.register_module()
class NewModel(ToyModel):
    def __init__(self, head):
        super().__init__()
        self.last = MODELS.build(head)
        self.last.weight = self.last.layer.weight
"""
CONFIG = f"""
_base_ = {str(PROJECT / 'toy_config.py')!r}
custom_imports = dict(
    _delete_=True,
    imports=[
        'toy_run',
        'mmd2a.interop.mmhuman3d.extended_to.old_project.models',
        'new_model',
    ],
)
model = dict(type='NewModel', head=dict(type='mmhuman3d.OldHead'))
train_cfg = dict(max_epochs=1)
"""


def test_a_config_trains_a_part_of_an_old_package(tmp_path):
    old = tmp_path / 'old_project'
    old.mkdir()
    (old / '__init__.py').touch()
    (old / 'models.py').write_text(MODELS)
    (tmp_path / 'new_model.py').write_text(NEW)
    (tmp_path / 'job.py').write_text(CONFIG)
    done = subprocess.run(
        [sys.executable, ROOT / 'tools' / 'train.py', 'job.py'],
        cwd=tmp_path,
        env={
            **os.environ,
            'PYTHONPATH': os.pathsep.join(map(str, (ROOT, PROJECT, tmp_path))),
            'CUDA_VISIBLE_DEVICES': '',
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / 'work_dirs' / 'job' / 'epoch_1.pth').is_file()


def test_a_package_that_came_too_early_is_one_line(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / 'early_project.py').touch()
    (tmp_path / 'job.py').write_text(
        "extend = 'mmd2a.interop.mmhuman3d.extended_to.'\n"
        'custom_imports = dict(\n'
        "    imports=['early_project', f'{extend}early_project'])\n"
    )
    with pytest.raises(UsageError, match='was imported before') as told:
        read_config(str(tmp_path / 'job.py'), {})
    assert '\n' not in str(told.value)
