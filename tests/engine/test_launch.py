"""Arguments of the tools, and mistakes in them."""
import argparse
from pathlib import Path

import pytest
from mmengine.config import Config

from mmd2a.engine import launch
from mmd2a.engine.launch import (
    UsageError,
    add_run_arguments,
    load_config,
    load_weights,
    resume_from,
    use_amp,
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


def test_an_unknown_config_is_named_with_a_suggestion(config):
    wrong = str(config).replace('some_model', 'some_modle')
    with pytest.raises(UsageError, match=r'some_modle.*mean .*some_model.py'):
        load_config(parse(wrong))
    with pytest.raises(UsageError, match='configs/'):
        load_config(parse('nothing/like/it'))


def test_a_config_with_a_typing_error_is_named(config):
    config.write_text('a = dict(')
    with pytest.raises(UsageError, match='some_model.py cannot be read'):
        load_config(parse(str(config)))


def test_a_missing_neighbour_is_named_with_its_command(config, monkeypatch):
    config.write_text('model = dict(parts=[dict(type="mmpose.HRNet")])')
    load_config(parse(str(config)))
    find_spec = launch.importlib.util.find_spec
    monkeypatch.setattr(
        launch.importlib.util, 'find_spec',
        lambda name: None if name == 'mmpose' else find_spec(name))
    with pytest.raises(UsageError,
                       match='mmpose.HRNet.*bash tools/install.sh'):
        load_config(parse(str(config)))


def test_an_unknown_key_of_a_part_is_named(toy):
    with pytest.raises(TypeError, match="ToyModel.*'deepth'"):
        toy(**{'model.deepth': 2})


def test_an_unknown_part_is_named(toy):
    with pytest.raises(KeyError, match='ToyModle is not in the mmd2a::model'):
        toy(**{'model.type': 'ToyModle'})


def test_resume_finds_the_latest_checkpoint_even_when_moved(tmp_path):
    cfg = Config(dict(work_dir=str(tmp_path)))
    resume_from(cfg, 'auto')
    assert (cfg.resume, cfg.load_from) == (False, None)
    (tmp_path / 'epoch_3.pth').touch()
    (tmp_path / 'last_checkpoint').write_text('/gone/epoch_3.pth')
    resume_from(cfg, 'auto')
    assert cfg.resume and Path(cfg.load_from) == tmp_path / 'epoch_3.pth'
    (tmp_path / 'epoch_3.pth').unlink()
    with pytest.raises(UsageError, match='is gone'):
        resume_from(cfg, 'auto')


def test_a_missing_checkpoint_is_named():
    for use in (resume_from, load_weights):
        with pytest.raises(UsageError, match='no checkpoint no.pth'):
            use(Config(dict()), 'no.pth')


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
    cfg = Config(dict(optim_wrapper=dict(
        constructor='mmd2a.PerModuleOptimWrapperConstructor',
        head=dict(optimizer=dict(type='Adam')))))
    with pytest.raises(UsageError, match='per module'):
        use_amp(cfg)


def test_amp_does_not_replace_another_wrapper():
    cfg = Config(dict(optim_wrapper=dict(type='ApexOptimWrapper')))
    with pytest.raises(UsageError, match='ApexOptimWrapper'):
        use_amp(cfg)
