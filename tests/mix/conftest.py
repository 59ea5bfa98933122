"""What the tests of the shipped mixes share."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

import mmd2a  # noqa: F401  (as the tools do, before any other package)

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / 'mix'


@pytest.fixture
def own_scope(request):
    """The scope that a runner sets must not outlive its test."""
    scope = getattr(request.module, 'SCOPE', 'mmd2a')
    with DefaultScope.overwrite_default_scope(scope):
        yield


@pytest.fixture(scope='session')
def mixed_people(tmp_path_factory):
    return str(tmp_path_factory.mktemp('mixed_people'))


@pytest.fixture
def small_config(mixed_people, tmp_path, own_scope):
    """``small_config(name)``: for a few people and 20 steps, else as it is."""

    def load(name):
        cfg = Config.fromfile(CONFIGS / f'{name}.py')
        for split, count in dict(train=8, val=4, test=4).items():
            loader = cfg[f'{split}_dataloader']
            loader.update(batch_size=4, num_workers=0)
            loader.pop('persistent_workers', None)
            loader.dataset.update(
                data_root=mixed_people,
                num_people=count,
                image_size=96,
                shard_size=4,
                num_workers=1,
            )
        # At the end of an epoch MMEngine's loop sleeps.
        cfg.train_dataloader.sampler.type = 'InfiniteSampler'
        cfg.train_cfg = dict(by_epoch=False, max_iters=20, val_interval=20)
        cfg.param_scheduler = None
        cfg.default_hooks.logger.interval = 1
        cfg.default_hooks.checkpoint.update(by_epoch=False, interval=20)
        cfg.log_processor = dict(by_epoch=False, window_size=1)
        cfg.env_cfg = {}
        cfg.visualizer.update(name=f'{name}_visualizer', vis_backends=[])
        cfg.custom_hooks = []
        cfg.work_dir, cfg.experiment_name = str(tmp_path), name
        return cfg

    return load


@pytest.fixture
def train(small_config):
    """``train(name, **changes) -> runner`` after 20 steps."""

    def run(name, **changes):
        cfg = small_config(name)
        cfg.merge_from_dict(changes)
        runner = Runner.from_cfg(cfg)
        runner.train()
        return runner

    return run


@pytest.fixture
def loss_history():
    """``loss_history(runner, name)``: one value per step."""

    def read(runner, name='loss'):
        return runner.message_hub.get_scalar(f'train/{name}').data[0]

    return read
