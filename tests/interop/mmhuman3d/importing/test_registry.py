"""Names of MMHuman3D are known everywhere, and others' names to it."""

import subprocess
import sys

import mmengine.registry as roots
import pytest
import torch
from mmengine.registry import DefaultScope, Registry

pytest.importorskip('mmhuman3d')

SCOPES = ['mmengine', 'mmd2a', 'mmhuman3d', 'mmpose', 'mmdet', 'mmpretrain']

# Each scope in a process where nothing of MMHuman3D was imported before.
LAZY = f"""
import os, sys
import mmd2a, mmdet.models, mmpose.models, mmpretrain.models
from mmengine.registry import MODELS, DefaultScope

def build(scope):
    DefaultScope.get_instance(scope, scope_name=scope)
    assert 'mmhuman3d' not in sys.modules
    model = MODELS.build(dict(type='mmhuman3d.ResNet', depth=18))
    assert type(model).__module__ == 'mmhuman3d.models.backbones.resnet'

children = {{}}
for scope in {SCOPES}:
    child = os.fork()
    if child == 0:
        try:
            build(scope)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    children[scope] = child
print(*(scope for scope, child in children.items()
        if os.waitpid(child, 0)[1]))
"""


def test_the_first_look_up_finds_it_from_every_scope():
    for name in ('mmpose', 'mmdet', 'mmpretrain'):
        pytest.importorskip(f'{name}.models')
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', LAZY],
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == '', done.stderr


def test_threads_may_look_up_at_the_same_time():
    code = """
import mmd2a
from concurrent.futures import ThreadPoolExecutor
from mmengine.registry import MODELS
names = ['ResNet', 'HMRHead', 'SmoothL1Loss', 'PareHead', 'SMPL', 'SMPLify']
with ThreadPoolExecutor(len(names)) as pool:
    print(*(found.__name__ for found in pool.map(
        MODELS.get, [f'mmhuman3d.{name}' for name in names])))
"""
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code],
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [
        'ResNet',
        'HMRHead',
        'SmoothL1Loss',
        'PareHead',
        'SMPL',
        'SMPLify',
    ], done.stderr


@pytest.fixture
def scope(request):
    with DefaultScope.overwrite_default_scope(request.param):
        yield request.param


@pytest.mark.parametrize(
    'module, registry, root',
    [
        ('models.architectures.builder', 'ARCHITECTURES', 'MODELS'),
        ('models.backbones.builder', 'BACKBONES', 'MODELS'),
        ('models.body_models.builder', 'BODY_MODELS', 'MODELS'),
        ('models.discriminators.builder', 'DISCRIMINATORS', 'MODELS'),
        ('models.heads.builder', 'HEADS', 'MODELS'),
        ('models.losses.builder', 'LOSSES', 'MODELS'),
        ('models.necks.builder', 'NECKS', 'MODELS'),
        ('models.registrants.builder', 'REGISTRANTS', 'MODELS'),
        ('data.datasets.builder', 'DATASETS', 'DATASETS'),
        ('data.datasets.builder', 'PIPELINES', 'TRANSFORMS'),
        ('core.cameras.builder', 'CAMERAS', 'TASK_UTILS'),
        ('core.post_processing.builder', 'POST_PROCESSING', 'TASK_UTILS'),
        ('data.data_converters.builder', 'DATA_CONVERTERS', 'TASK_UTILS'),
    ],
)
def test_every_name_it_registers_is_known_to_mmengine(module, registry, root):
    parts = getattr(
        __import__(f'mmhuman3d.{module}', fromlist=['x']), registry
    )
    assert len(parts)
    for name, part in parts.module_dict.items():
        assert getattr(roots, root).get(f'mmhuman3d.{name}') is part
        assert parts.get(f'mmhuman3d.{name}') is part


def test_what_is_imported_again_takes_the_place_of_what_was(monkeypatch):
    from mmd2a.interop.mmhuman3d.importing.mmcv1.utils import Registry
    from mmd2a.interop.mmhuman3d.importing.registry import REGISTRIES

    mirror = REGISTRIES['MODELS']
    monkeypatch.setattr(mirror, '_module_dict', dict(mirror.module_dict))

    def imported(module):
        part = type('Part', (), {'__module__': module})
        # Each import of MMHuman3D makes its registries anew.
        Registry('heads', scope='mmhuman3d').register_module(module=part)
        return part

    first, again = (imported('mmhuman3d.parts') for _ in range(2))
    assert first is not again
    assert roots.MODELS.get('mmhuman3d.Part') is again
    imported('mmhuman3d.other_parts')  # of the same name: came later
    assert roots.MODELS.get('mmhuman3d.Part') is again


def test_every_root_has_its_scope():
    from mmhuman3d import registry

    for name, root in vars(roots).items():
        if isinstance(root, Registry):
            assert root.children['mmhuman3d'] is getattr(registry, name)


@pytest.mark.parametrize('scope', SCOPES, indirect=True)
def test_parts_of_others_are_built_by_its_registries(scope):
    pytest.importorskip('mmpose')
    from mmhuman3d.models.backbones.builder import build_backbone
    from mmhuman3d.models.losses.builder import build_loss

    backbone = build_backbone(dict(type='mmpose.ResNet', depth=18))
    assert type(backbone).__module__.startswith('mmpose.')
    loss = build_loss(dict(type='mmd2a.SilhouetteLoss'))
    assert type(loss).__module__.startswith('mmd2a.')
    own = build_backbone(dict(type='ResNet', depth=18))
    assert type(own).__module__.startswith('mmhuman3d.')


def test_parts_of_others_in_a_config_of_its_own():
    pytest.importorskip('mmpose')
    from mmhuman3d.models.architectures.builder import build_architecture

    model = build_architecture(
        dict(
            type='ImageBodyModelEstimator',
            backbone=dict(type='mmpose.ResNet', depth=18),
            head=None,
            loss_vertex=dict(type='mmd2a.SilhouetteLoss'),
        )
    )
    assert type(model.backbone).__module__.startswith('mmpose.')
    assert type(model.loss_vertex).__module__.startswith('mmd2a.')


def test_a_name_of_nobody_is_a_key_error():
    from mmhuman3d.models.heads.builder import build_head

    with pytest.raises(KeyError, match='NoHead is not in the registry heads'):
        build_head(dict(type='NoHead'))


def test_weights_have_the_names_and_meaning_of_every_resnet():
    # The same network as mmpretrain's, written independently.
    mmpretrain = pytest.importorskip('mmpretrain.models')
    model = roots.MODELS.build(
        dict(
            type='mmhuman3d.ResNet',
            depth=18,
            out_indices=[3],
            norm_eval=False,
            norm_cfg=dict(type='BN'),
        )
    )
    other = mmpretrain.ResNet(depth=18, out_indices=[3])
    assert set(model.state_dict()) == set(other.state_dict())
    other.load_state_dict(model.state_dict())
    model.train(False), other.train(False)
    image = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(model(image)[0], other(image)[0])
