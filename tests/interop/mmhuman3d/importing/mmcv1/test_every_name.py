"""Every public name of mmcv 1.7 is there, or says what to use instead."""

from pathlib import Path

import pytest
import torch
from torch import nn

from mmd2a.engine.checkpoint_loading import read_checkpoint
from mmd2a.interop.mmhuman3d.importing import scoped_import as scoped
from mmd2a.interop.mmhuman3d.importing.mmcv1.refused_names import Refused

NAMES = {
    module: names.split()
    for module, _, names in (
        line.partition(':')
        for line in Path(__file__)
        .with_name('names_of_mmcv_1.txt')
        .read_text()
        .splitlines()
        if not line.startswith('#')
    )
}
MEND = (
    r'tools/train\.py|dist_train\.sh|torch\.onnx|mmengine|mmcv\.load'
    r'|load_checkpoint|public class'
)


def import_from(module, name):
    """As ``from module import name`` in a package of mmcv 1.x."""
    names = {'__builtins__': scoped.scoped_builtins()}
    exec(f'from {module} import {name} as value', names)
    return names['value']


@pytest.mark.parametrize('module', NAMES)
def test_every_name_is_real_or_refused_with_a_mend(module):
    for name in NAMES[module]:
        value = import_from(module, name)
        if not (isinstance(value, type) and issubclass(value, Refused)):
            continue

        class Mine(value):
            pass

        with pytest.raises(NotImplementedError, match=MEND) as told:
            value(1, key=2)
        assert name in str(told.value) or name == 'Runner'
        assert '\n' not in str(told.value)
        with pytest.raises(NotImplementedError, match=MEND):
            Mine()


def test_what_the_ecosystem_has_is_no_refusal():
    import mmengine
    from mmengine.registry import WEIGHT_INITIALIZERS

    for module, name, value in (
        ('mmcv.utils.config', 'ConfigDict', mmengine.ConfigDict),
        ('mmcv.runner.hooks.hook', 'Hook', None),
        ('mmcv.device', 'get_device', mmengine.device.get_device),
        ('mmcv.cnn.utils', 'INITIALIZERS', WEIGHT_INITIALIZERS),
        ('mmcv.utils', 'BuildExtension', None),
        ('mmcv', 'worker_init_fn', mmengine.dataset.worker_init_fn),
        ('mmcv.runner.priority', 'Priority', mmengine.runner.Priority),
        ('mmcv.cnn.bricks.transformer', 'build_transformer_layer', None),
    ):
        found = import_from(module, name)
        assert value is None or found is value, name


def test_a_module_is_one_however_it_is_imported():
    names = {'__builtins__': scoped.scoped_builtins()}
    exec(
        'import mmcv.runner.hooks.lr_updater\n'
        'from mmcv.runner.hooks import lr_updater\n'
        'from mmcv.runner import LrUpdaterHook, hooks\n'
        'assert mmcv.runner.hooks.lr_updater is lr_updater\n'
        'assert hooks.lr_updater is lr_updater\n'
        'assert lr_updater.LrUpdaterHook is LrUpdaterHook\n'
        'assert issubclass(lr_updater.PolyLrUpdaterHook, LrUpdaterHook)\n',
        names,
    )


def test_what_mmcv_1_never_had_is_not_there():
    with pytest.raises(ImportError, match='nothing'):
        import_from('mmcv.runner.hooks.lr_updater', 'nothing')
    with pytest.raises(ModuleNotFoundError, match=r'mmcv\.runner'):
        import_from('mmcv.runner.nothing', 'at_all')


def test_a_constructor_of_ones_own_makes_the_optimizer():
    runner = scoped.scoped_import('mmcv.runner', fromlist=['*'])

    class HalfRateForBiases(runner.DefaultOptimizerConstructor):
        def add_params(self, params, module, **kwargs):
            for name, value in module.named_parameters():
                rate = 0.05 if name.endswith('bias') else 0.1
                params.append(dict(params=[value], lr=rate))

    register = runner.OPTIMIZER_BUILDERS.register_module
    register(module=HalfRateForBiases, force=True)
    try:
        optimizer = runner.build_optimizer(
            nn.Linear(2, 1),
            dict(
                type='SGD',
                lr=0.1,
                constructor='HalfRateForBiases',
                paramwise_cfg=dict(bias_lr_mult=0.5),
            ),
        )
    finally:
        del runner.OPTIMIZER_BUILDERS.module_dict['HalfRateForBiases']
    assert [group['lr'] for group in optimizer.param_groups] == [0.1, 0.05]


def test_a_model_is_saved_as_mmcv_1_saves_it(tmp_path):
    runner = scoped.scoped_import('mmcv.runner', fromlist=['*'])
    model = nn.Linear(2, 3)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    file = str(tmp_path / 'new' / 'weights.pth')
    runner.save_checkpoint(model, file, optimizer, meta=dict(epoch=3))
    saved = read_checkpoint(file)
    assert saved['meta']['epoch'] == 3
    assert set(saved['optimizer']) == {'state', 'param_groups'}
    other = nn.Linear(2, 3)
    runner.load_checkpoint(other, file, strict=True)
    assert torch.equal(other.weight, model.weight)
    with pytest.raises(TypeError, match='meta'):
        runner.save_checkpoint(model, file, meta='epoch 3')
