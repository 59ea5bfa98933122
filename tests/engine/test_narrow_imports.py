"""One class of another package comes alone; all of it can still follow."""

import json
import subprocess
import sys

import pytest
from mmengine.config import ConfigDict

from mmd2a.engine.narrow_imports import import_part, with_parts_imported

pytest.importorskip('mmpose')

# All that mmpose registers, and where it is from.
_WHOLE = (
    'import importlib, json\n'
    'from mmpose.registry import MODELS\n'
    'MODELS.import_from_location()\n'
    'backbones = importlib.import_module("mmpose.models.backbones")\n'
    'print(json.dumps([sorted((name, kind.__module__, kind.__qualname__)\n'
    '                         for name, kind in MODELS.module_dict.items()),\n'
    '                  sorted(dir(backbones))]))\n'
)


def run(code):
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope='module')
def whole():
    [[registered, attributes]] = run('import mmd2a\n' + _WHOLE)
    return registered, attributes


def test_a_backbone_comes_without_the_rest():
    [modules] = run(
        'import json, sys\n'
        'from mmd2a.engine.narrow_imports import import_part\n'
        'for name in ("HRNet", "ResNet", "MobileNetV2", "SwinTransformer"):\n'
        '    assert import_part(f"mmpose.{name}").__name__ == name\n'
        'print(json.dumps(list(sys.modules)))\n'
    )
    assert 'mmpose.models.backbones.hrnet' in modules
    for absent in (
        'matplotlib',
        'mmpose.datasets',
        'mmpose.models',
        'mmpose.models.backbones',
        'mmpose.models.heads',
    ):
        assert absent not in modules, absent


def test_all_of_the_package_can_follow(whole):
    """As if no part had been imported before: every part, then the whole."""
    registered, attributes = whole
    names = [name for name, *_ in registered]
    found, [after, attributes_after] = run(
        'import json\n'
        'from mmd2a.engine.narrow_imports import import_part\n'
        f'parts = [import_part("mmpose." + name) for name in {names}]\n'
        'print(json.dumps([part and part.__name__ for part in parts]))\n'
        + _WHOLE
    )
    assert after == registered and attributes_after == attributes
    # Those that are not found are those of mmpose's heads and losses that
    # need one another.
    alone = {name for name, part in zip(names, found) if part is not None}
    assert {n for n, module, _ in registered if 'backbones' in module} <= alone
    assert all(part in (None, name) for name, part in zip(names, found))


def test_names_become_classes_wherever_they_are():
    cfg = ConfigDict(
        type='mmd2a.D2AHMR',
        backbone=dict(type='mmpose.ResNet', depth=18),
        losses=[dict(type='mmpose.Absent'), dict(type='absent.Part')],
    )
    found = with_parts_imported(cfg)
    assert found.backbone.type.__name__ == 'ResNet'
    assert found.backbone.depth == 18 and found.type == 'mmd2a.D2AHMR'
    assert [loss.type for loss in found.losses] == [
        'mmpose.Absent',
        'absent.Part',
    ]
    assert cfg.backbone.type == 'mmpose.ResNet'


@pytest.mark.parametrize(
    'name', ['HRNet', 'mmd2a.D2AHMR', 'mmengine.X', 'mmpose', 'os.path', '.']
)
def test_what_is_no_part_of_another_package_is_left_alone(name):
    assert import_part(name) is None
