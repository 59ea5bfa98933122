"""Registries and logging as mmcv 1.x had them."""

import logging

import pytest
import torch

from mmd2a.interop.mmhuman3d.importing.mmcv1 import cnn, utils
from mmd2a.interop.mmhuman3d.importing.scoped_import import scoped_import


@pytest.fixture
def parts():
    registry = utils.Registry('parts', scope='toy')

    @registry.register_module()
    class Part:
        def __init__(self, size, color='red'):
            self.size, self.color = size, color

    return registry


def test_a_part_is_built_of_its_config(parts):
    cfg = dict(type='Part', size=1)
    part = parts.build(cfg, default_args=dict(size=2, color='blue'))
    assert (part.size, part.color) == (1, 'blue')
    assert cfg == dict(type='Part', size=1)  # still as it was


@pytest.mark.parametrize('name', ['Part', 'toy.Part'])
def test_a_part_is_found_with_and_without_its_scope(parts, name):
    assert parts.get(name) is parts.module_dict['Part']
    assert name in parts


def test_a_class_or_function_may_be_given_itself(parts):
    assert parts.build(dict(type=complex, real=1)) == 1
    assert parts.build(dict(type=lambda number: number + 1, number=1)) == 2


@pytest.mark.parametrize(
    'cfg, error, match',
    [
        ('Part', TypeError, 'must be a dict'),
        (dict(size=1), KeyError, '"type" is missing'),
        (dict(type=3), TypeError, 'registered name or a class'),
        (dict(type='Nothing'), KeyError, 'not in the registry parts of toy'),
        (dict(type='mmd2a.Nothing'), KeyError, 'Nothing'),
    ],
)
def test_what_cannot_be_built_is_named(parts, cfg, error, match):
    with pytest.raises(error, match=match):
        parts.build(cfg)


def test_errors_of_a_part_keep_their_type(parts):
    with pytest.raises(TypeError, match='size'):
        parts.build(dict(type='Part'))


def test_a_name_is_registered_once(parts):
    with pytest.raises(KeyError, match='already registered'):
        parts.register_module(module=int, name='Part')
    parts.register_module(module=int, name=['Part', 'Int'], force=True)
    assert parts.get('Part') is parts.get('Int') is int


def test_a_parent_lends_its_way_to_build():
    child = utils.Registry('child', parent=cnn.MODELS, scope='toy')
    assert child.build_func is cnn.MODELS.build_func
    # mmcv 1.x allows many children of one package.
    utils.Registry('another', parent=cnn.MODELS, scope='toy')


def test_registries_of_one_package_may_share_a_mirror():
    from mmd2a.interop.mmhuman3d.importing.registry import REGISTRIES

    heads = utils.Registry('heads', scope='mmhuman3d')
    necks = utils.Registry('necks', scope='mmhuman3d')
    mirror = REGISTRIES['MODELS'].module_dict
    try:
        heads.register_module(module=int, name='SharedName')
        necks.register_module(module=float, name='SharedName')
        assert mirror['SharedName'] is int
        assert necks.get('SharedName') is float
    finally:
        del mirror['SharedName']


def test_a_logger_writes_each_line_once(tmp_path, capsys):
    file = tmp_path / 'run.log'
    logger = utils.get_logger('toy_view', log_file=str(file))
    assert utils.get_logger('toy_view') is logger
    assert utils.get_logger('toy_view.part').handlers == []
    utils.print_log('hello', logger='toy_view')
    utils.print_log('hidden', logger='toy_view', level=logging.DEBUG)
    utils.print_log('from below', logger='toy_view.part')
    assert file.read_text().count('hello') == 1
    assert 'toy_view - INFO - hello' in file.read_text()
    assert 'from below' in file.read_text()
    assert 'hidden' not in file.read_text()
    utils.print_log('to the console')
    utils.print_log('nowhere', logger='silent')
    assert capsys.readouterr().out == 'to the console\n'


def test_names_that_moved_are_found():
    import mmengine

    from mmd2a.interop.mmhuman3d.importing import mmcv1

    assert mmcv1.Config is mmengine.Config
    assert mmcv1.dump is mmengine.dump
    assert mmcv1.mkdir_or_exist is mmengine.utils.mkdir_or_exist
    assert mmcv1.fileio.FileClient is mmengine.fileio.FileClient
    assert mmcv1.cnn.normal_init is mmengine.model.normal_init
    assert mmcv1.utils.get_git_hash is mmengine.utils.get_git_hash


# What packages of OpenMMLab written for mmcv 1.x import.
NAMES = {
    'runner': 'auto_fp16 force_fp32 wrap_fp16_model allreduce_params '
    'allreduce_grads get_host_info get_time_str obj_from_dict EMAHook '
    'TextLoggerHook TensorboardLoggerHook IterTimerHook BaseModule '
    'set_random_seed save_checkpoint _load_checkpoint load_state_dict '
    'weights_to_cpu master_only init_dist get_priority',
    'runner.fp16_utils': 'auto_fp16 force_fp32 wrap_fp16_model',
    'runner.dist_utils': 'allreduce_params get_dist_info master_only',
    'cnn': 'PLUGIN_LAYERS CONV_LAYERS NORM_LAYERS ACTIVATION_LAYERS '
    'PADDING_LAYERS UPSAMPLE_LAYERS ATTENTION TRANSFORMER_LAYER ConvModule '
    'build_conv_layer build_norm_layer build_plugin_layer Scale initialize',
    'utils': 'ext_loader SyncBatchNorm _BatchNorm TORCH_VERSION digit_version',
    'engine': 'single_gpu_test multi_gpu_test collect_results_cpu '
    'collect_results_gpu',
}


@pytest.mark.parametrize('module', NAMES)
def test_names_that_old_packages_import_are_there(module):
    names = NAMES[module].split()
    found = scoped_import(f'mmcv.{module}', {}, None, names)
    assert [name for name in names if not hasattr(found, name)] == []


def test_a_layer_of_an_old_package_is_built_by_mmcv():
    from mmcv.cnn import build_plugin_layer

    cnn = scoped_import('mmcv.cnn', {}, None, ['PLUGIN_LAYERS'])

    class Plugin(torch.nn.Identity):
        _abbr_ = 'plugin'

    cnn.PLUGIN_LAYERS.register_module(module=Plugin, force=True)
    name, layer = build_plugin_layer(dict(type='Plugin'))
    assert name == 'plugin' and isinstance(layer, Plugin)


def test_half_precision_is_left_to_autocast():
    runner = scoped_import('mmcv.runner', {}, None, ['auto_fp16'])

    class Head(torch.nn.Module):
        @runner.force_fp32(apply_to=('x',))
        @runner.auto_fp16()
        def forward(self, x):
            return x

    assert Head()(torch.ones(1).half()).dtype == torch.float16
    with pytest.raises(NotImplementedError, match='--amp'):
        runner.wrap_fp16_model(Head())


def test_a_model_is_tested_over_a_loader():
    engine = scoped_import('mmcv.engine', {}, None, ['multi_gpu_test'])

    class Model(torch.nn.Module):
        def forward(self, x, return_loss):
            assert not return_loss and not self.training
            return (2 * x).tolist()

    loader = torch.utils.data.DataLoader(
        [dict(x=number) for number in range(5)], batch_size=2
    )
    for test in (engine.single_gpu_test, engine.multi_gpu_test):
        assert test(Model(), loader) == [0, 2, 4, 6, 8]
