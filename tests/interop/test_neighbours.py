"""Neighbours import where compiled operators are missing."""

import importlib.util
import subprocess
import sys

import pytest

needs_mmpose = pytest.mark.skipif(
    importlib.util.find_spec('mmpose') is None, reason='mmpose not installed'
)


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_mmpose
def test_parts_of_mmpose_build_from_our_registry():
    out = run("""
from mmd2a.registry import MODELS
print(type(MODELS.build(dict(type='mmpose.ResNet', depth=18))).__module__)
import mmpose.apis
""")
    assert 'mmpose.models.backbones.resnet' in out


def test_a_missing_operator_says_so_when_it_is_called():
    out = run("""
import torch
from mmd2a.interop import status
from mmcv.ops import nms
try:
    nms(torch.rand(3, 4), torch.rand(3), 0.5)
    assert status()['mmcv operators'].startswith('inert')
except NotImplementedError as error:
    assert 'nms' in str(error) and 'mmcv-lite' in str(error)
    assert status()['mmcv operators'].startswith('stand-in active')
""")
    assert not out


def test_a_compiled_mmcv_wins(tmp_path):
    package = tmp_path / 'mmcv'
    package.mkdir()
    (package / '__init__.py').touch()
    (package / '_ext.py').write_text('real = True')
    run(f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from mmd2a.interop import status
import mmcv._ext
assert mmcv._ext.real
assert status()['mmcv operators'].startswith('inert')
""")


@pytest.mark.parametrize('compiled', [True, False])
def test_torchvision_schemas_are_declared_only_where_missing(
    tmp_path, compiled
):
    package = tmp_path / 'torchvision'
    package.mkdir()
    (package / '__init__.py').write_text(
        'from . import extension\nfrom . import _meta_registrations'
    )
    (package / 'extension.py').write_text(f'def _has_ops(): return {compiled}')
    (package / '_meta_registrations.py').write_text(
        'import torch\ndeclared = hasattr(torch.ops.torchvision, "nms")'
    )
    run(f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from mmd2a.interop import status
import torchvision
assert torchvision._meta_registrations.declared is {not compiled}
print(status())
""")


def test_activation_is_free_and_may_be_repeated():
    out = run("""
import sys
from mmd2a import interop
interop.activate()
once = list(sys.meta_path)
interop.activate()
ours = [f for f in sys.meta_path if 'mmd2a' in type(f).__module__]
told = [(type(f), str(vars(f))) for f in ours]
assert sys.meta_path == once and ours
print(len(told) - len(set(told)),
      {'mmcv', 'torch', 'torchvision', 'mmpose', 'mmhuman3d'}
      & set(sys.modules))
""")
    assert out == '0 set()\n'
