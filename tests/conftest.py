"""Fixtures shared by all tests."""

import os
import uuid
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

# The suite runs on small machines, often next to other work.
torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', '2')))
TOY_PROJECT = Path(__file__).parent / 'toy_project'


@pytest.fixture(scope='session')
def body():
    """The embedded, licence-free body."""
    from mmd2a.body_models import SMPLBodyModel

    return SMPLBodyModel()


class Recorder(Hook):
    """Keep the loss of each iteration; stop after some epochs if asked."""

    priority = 'LOWEST'

    def __init__(self, stop_after=None):
        self.losses = []
        self.stop_after = stop_after

    def after_train_iter(
        self, runner, batch_idx, data_batch=None, outputs=None
    ):
        self.losses.append(outputs['loss'].item())

    def before_train_epoch(self, runner):
        if runner.epoch == self.stop_after:
            raise KeyboardInterrupt


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A toy training as the tools build one: ``toy(**changes) -> runner``."""
    monkeypatch.syspath_prepend(str(TOY_PROJECT))
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def build(stop_after=None, hooks=(), **changes) -> Runner:
        cfg = Config.fromfile(TOY_PROJECT / 'toy_config.py')
        cfg.work_dir = str(tmp_path / 'run')
        cfg.experiment_name = uuid.uuid4().hex
        cfg.merge_from_dict(changes)
        runner = Runner.from_cfg(cfg)
        recorder = Recorder(stop_after)
        for hook in (*hooks, recorder):
            runner.register_hook(hook, priority=hook.priority)
        runner.losses = recorder.losses
        return runner

    yield build
    torch.set_num_threads(threads)
