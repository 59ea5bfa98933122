"""Arguments of the tools, and mistakes in them.

Over 350 lines: the mistakes of a command line share one way to make them.
"""

import argparse
import importlib.util

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from torch import nn

from mmd2a.cli import launch
from mmd2a.cli.launch import (
    add_run_arguments,
    build_runner,
    forget_training,
    load_config,
    require_every_parameter,
    use_amp,
)
from mmd2a.cli.tool_config import UsageError, require_parts
from mmd2a.engine.checkpoint_loading import (
    CheckpointError,
    load_every_parameter,
)


def parse(*arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    add_run_arguments(parser)
    return parser.parse_args(list(arguments))


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'some_model.py'
    path.write_text('a = dict(b=1)\nmodel = dict(neck=[dict(type="X")])')
    return path


def test_options_change_the_config(config):
    cfg = load_config(parse(str(config), '--cfg-options', 'a.b=2', 'c=[1,2]'))
    assert cfg.a.b == 2 and cfg.c == [1, 2]
    assert cfg.work_dir == 'work_dirs/some_model'
    assert load_config(parse(str(config), '--work-dir', 'w')).work_dir == 'w'


def test_options_hold_parts_as_a_config_does(config):
    parts = "[dict(type='A', size=(1, -2)), dict(type='B', of=dict(c=None))]"
    cfg = load_config(parse(str(config), '--cfg-options', f'metrics={parts}'))
    assert cfg.metrics[0] == dict(type='A', size=(1, -2))
    assert cfg.metrics[1].of.c is None


@pytest.mark.parametrize(
    'value',
    [
        'dict(a=print(1))',
        "dict(a=__import__('os'))",
        'dict([(1, 2)])',
        'dict(**x)',
        'dict(a=b)',
        '[dict(a=1)',
        '[{1: 2}, ' + '(' * 300,
    ],
)
def test_options_execute_nothing(value, config):
    with pytest.raises(UsageError, match='no value as in a config'):
        parse(str(config), '--cfg-options', f'metrics={value}')


def test_an_unknown_config_is_named_with_a_suggestion(config):
    wrong = str(config).replace('some_model', 'some_modle')
    with pytest.raises(UsageError, match=r'some_modle.*mean .*some_model.py'):
        load_config(parse(wrong))
    with pytest.raises(UsageError, match='configs/'):
        load_config(parse('nothing/like/it'))


def test_a_config_with_a_typing_error_is_named(config):
    config.write_text('a = dict(')
    with pytest.raises(UsageError, match='never closed.*some_model.py'):
        load_config(parse(str(config)))


def test_a_missing_neighbour_is_named_with_its_command(config, monkeypatch):
    config.write_text('model = dict(parts=[dict(type="mmpose.HRNet")])')
    load_config(parse(str(config)))
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        'find_spec',
        lambda name: None if name == 'mmpose' else find_spec(name),
    )
    with pytest.raises(
        UsageError, match='mmpose.HRNet.*bash tools/install.sh'
    ):
        load_config(parse(str(config)))


def test_a_missing_logger_is_named_with_its_command(config, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        'find_spec',
        lambda name: None if name == 'tensorboard' else find_spec(name),
    )
    config.write_text(
        'visualizer = dict(vis_backends=[dict(type="TensorboardVisBackend")])'
    )
    with pytest.raises(UsageError, match='pip install tensorboard`, or') as no:
        load_config(parse(str(config)))
    # What it proposes works.
    option = str(no.value).split('--cfg-options ')[1].replace('"', '')
    load_config(parse(str(config), '--cfg-options', option))


def test_an_unknown_key_of_a_part_is_named(toy):
    with pytest.raises(TypeError, match="ToyModel.*'deepth'"):
        toy(**{'model.deepth': 2})


def test_an_unknown_part_is_named(toy):
    with pytest.raises(KeyError, match='ToyModle is not in the mmd2a::model'):
        toy(**{'model.type': 'ToyModle'})


def test_a_config_in_another_format_is_translated_with_its_options(config):
    def translate(cfg):
        return Config(dict(model=cfg.model, c=cfg.a.b + 1))

    args = parse(str(config), '--cfg-options', 'a.b=2')
    assert load_config(args, translate).c == 3


def test_what_cannot_be_translated_is_told_in_one_line(config):
    def translate(cfg):
        raise NotImplementedError('use this instead')

    with pytest.raises(UsageError, match='some_model.py: use this instead'):
        load_config(parse(str(config)), translate)


def test_amp_is_for_one_optimizer():
    cfg = Config(
        dict(
            optim_wrapper=dict(
                constructor='mmd2a.PerModuleOptimWrapperConstructor',
                head=dict(optimizer=dict(type='Adam')),
            )
        )
    )
    with pytest.raises(UsageError, match='per module'):
        use_amp(cfg)


def test_amp_does_not_replace_another_wrapper():
    cfg = Config(dict(optim_wrapper=dict(type='ApexOptimWrapper')))
    with pytest.raises(UsageError, match='ApexOptimWrapper'):
        use_amp(cfg)


def test_a_missing_start_is_named_before_anything_is_built():
    with pytest.raises(UsageError, match='no checkpoint nothere.pth'):
        build_runner(Config(dict(load_from='nothere.pth')), 'none')


@pytest.mark.parametrize(
    'run, kept, missing',
    [
        ('train', [], 'no model'),
        ('train', ['model'], 'no training data: `train_dataloader`'),
        ('train', ['model', 'train_dataloader'], 'no optimiser'),
        ('test', ['model', 'train_dataloader'], 'no test data'),
        ('test', ['model', 'test_dataloader'], 'no evaluator'),
    ],
)
def test_what_a_config_lacks_is_named(run, kept, missing):
    cfg = Config({**dict.fromkeys(kept, dict(type='X')), 'val_cfg': None})
    with pytest.raises(UsageError, match=missing):
        require_parts(cfg, run)


def test_configs_have_names():
    args = parse('mmd2a::d2a_hmr/d2a_hmr_hrnet.py')
    cfg = load_config(args)
    assert cfg.model.type == 'mmd2a.D2AHMR'
    assert cfg.work_dir == 'work_dirs/d2a_hmr_hrnet'


@pytest.mark.parametrize(
    'name, why',
    [
        ('mmd2a::d2a_hmr/nothere.py', 'PACKAGE::FOLDER/FILE.py'),
        ('mmd2a::d2a_hmr_hrnet.py', 'PACKAGE::FOLDER/FILE.py'),
        ('json::a/b.py', 'PACKAGE::FOLDER/FILE.py'),
        ('nothere::a/b.py', 'nothere is not installed'),
        ('a.b::c/d.py', 'a.b is not installed'),
    ],
)
def test_a_name_of_no_config_is_told(name, why):
    with pytest.raises(UsageError, match=f'no config {name}.*{why}'):
        load_config(parse(name))


@pytest.mark.parametrize(
    'option, why',
    [
        ('a', 'options are KEY=VALUE, such as a=None'),
        ('a=[(1,2]', 'Imbalanced'),
        (
            'model.neck.1.type=Y',
            'model.neck is a list, its entries are 0 to 0',
        ),
        ('model.neck.type=Y', 'model.neck is a list'),
        ('a.b.c=1', 'a.b is 1, there is nothing in it to change'),
        ('modle.neck=None', 'mean model'),
        ('model.neck.0.typ=Y', 'no typ there; did you mean type'),
    ],
)
def test_options_that_do_not_fit_are_told(config, option, why):
    with pytest.raises(UsageError, match=why):
        load_config(parse(str(config), '--cfg-options', option))


def test_options_that_contradict_others_are_told(config):
    with pytest.raises(UsageError, match='do not fit each other'):
        load_config(parse(str(config), '--cfg-options', 'n=1', 'n.b=2'))


def test_new_keys_are_allowed(config):
    config.write_text(
        'model = dict(loss_keypoints3d=None)\ntrain_dataloader = dict()'
    )
    cfg = load_config(
        parse(
            str(config),
            '--cfg-options',
            'model.loss_keypoints2d.type=X',
            'model.loss_keypoints2d.weight=2',
            'model.head=1',
            'val_dataloader.num_workers=0',
        )
    )
    assert cfg.model.loss_keypoints2d == dict(type='X', weight=2)
    assert cfg.val_dataloader.num_workers == 0


@pytest.mark.parametrize(
    'scope, kind',
    [
        ('mmd2a', 'mmpose.TopdownPoseEstimator'),
        ('mmpose', 'TopdownPoseEstimator'),
    ],
)
def test_amp_on_a_cpu_is_not_for_mmpose(monkeypatch, scope, kind):
    def cfg():
        return Config(
            dict(
                default_scope=scope,
                model=dict(type=kind),
                optim_wrapper=dict(optimizer=dict(type='SGD', lr=1.0)),
            )
        )

    monkeypatch.setattr(launch.torch.cuda, 'is_available', lambda: False)
    with pytest.raises(UsageError, match='without --amp'):
        use_amp(cfg())
    monkeypatch.setattr(launch.torch.cuda, 'is_available', lambda: True)
    use_amp(cfg())


class Versioned(nn.Linear):
    """Renames what an older version of it has written."""

    def _load_from_state_dict(self, state, prefix, *args):
        if f'{prefix}kernel' in state:
            state[f'{prefix}weight'] = state.pop(f'{prefix}kernel')
        super()._load_from_state_dict(state, prefix, *args)


def test_a_checkpoint_needs_every_parameter():
    model = nn.Sequential(Versioned(2, 3), nn.BatchNorm1d(3))
    state = {
        key: torch.ones_like(value)
        for key, value in model.state_dict().items()
    }
    load_every_parameter(
        model,
        dict(
            state_dict={f'module.{key}': value for key, value in state.items()}
        ),
    )
    assert (model[0].weight == 1).all()

    parameters = {
        key: value
        for key, value in state.items()
        if key in dict(model.named_parameters())
    }
    load_every_parameter(model, {**parameters, 'more': torch.ones(1)})
    old = dict(parameters)
    old['0.kernel'] = old.pop('0.weight')
    load_every_parameter(model, old)

    missing = {'0.bias': state['0.bias'], 'more': torch.ones(1)}
    with pytest.raises(
        CheckpointError,
        match=(
            r'3 of 4 parameters are missing \(0.weight, 1.weight, 1.bias\), '
            r'1 are not of this model \(more\)\. Name the config'
        ),
    ):
        load_every_parameter(model, missing)
    with pytest.raises(CheckpointError, match='mismatch for 1.bias.*model is'):
        load_every_parameter(model, {**state, '1.bias': torch.ones(4)})


class Body(nn.Module):
    """With the pose as a parameter, as bodies of smplx have it."""

    __module__ = 'smplx.body_models'

    def __init__(self):
        super().__init__()
        self.betas = nn.Parameter(torch.zeros(10))


def test_a_body_is_no_part_of_a_checkpoint():
    model = nn.ModuleDict(dict(head=nn.Linear(1, 1), smpl=Body()))
    weights = {
        f'head.{key}': value
        for key, value in model['head'].state_dict().items()
    }
    load_every_parameter(model, weights)
    load_every_parameter(model, {**weights, 'smpl.betas': torch.zeros(300)})
    with pytest.raises(CheckpointError, match='1 of 2 .*head.bias'):
        load_every_parameter(model, {'head.weight': torch.ones(1, 1)})


@pytest.mark.parametrize('checkpoint', [[1, 2], dict(state_dict='a')])
def test_a_checkpoint_without_weights_is_told(checkpoint):
    with pytest.raises(CheckpointError, match='no weights'):
        load_every_parameter(nn.Linear(1, 1), checkpoint)


def test_the_runner_refuses_a_checkpoint_of_another_model(toy, tmp_path):
    model = toy().model
    state = dict(model.state_dict())
    del state['last.bias']
    torch.save(dict(state_dict=state), tmp_path / 'part.pth')
    runner = toy(load_from=str(tmp_path / 'part.pth'))
    require_every_parameter(runner)
    with pytest.raises(CheckpointError, match='last.bias'):
        runner.test()


def test_a_runner_of_ones_own_is_built():
    @RUNNERS.register_module()
    class OwnRunner(Runner):
        @classmethod
        def from_cfg(cls, cfg):
            return cls

    try:
        for kind in ('OwnRunner', OwnRunner):
            assert build_runner(Config(dict(runner_type=kind)), 'none') is (
                OwnRunner
            )
    finally:
        RUNNERS._module_dict.pop('OwnRunner')


@pytest.mark.parametrize(
    'kind, why',
    [
        ('FlexibleRunner', 'is no Runner of MMEngine'),
        ('EpochBasedRunner', 'not registered'),
    ],
)
def test_a_runner_of_another_kind_is_refused(kind, why):
    with pytest.raises(UsageError, match=f'{kind}.*{why}'):
        build_runner(Config(dict(runner_type=kind)), 'none')


class AsksForTheIteration(Hook):
    """As hooks of others do, also in a test."""

    def after_test_epoch(self, runner, metrics=None):
        self.seen = runner.iter, runner.epoch


def test_a_test_needs_the_test_data_only(toy):
    hook = AsksForTheIteration()
    elsewhere = {'type': 'NotOnThisMachine'}
    runner = toy(
        hooks=[hook],
        **{
            'train_dataloader.dataset': elsewhere,
            'val_dataloader.dataset': elsewhere,
            'test_dataloader.dataset': {'type': 'ToyDataset'},
        },
    )
    forget_training(runner)
    assert set(runner.test()) == {'error'}
    assert hook.seen == (0, 0)
    assert runner.cfg.train_dataloader.dataset.type == 'NotOnThisMachine'
