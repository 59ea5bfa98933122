"""Fixtures shared by all tests."""

import os
import uuid
from pathlib import Path

import numpy as np
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


def _some_rows(generator, rows, columns, sharpness):
    values = generator.random((rows, columns)) ** sharpness
    return values / values.sum(1, keepdims=True)


def _official_arrays(model_type, num_vertices=300, num_shape=None, seed=0):
    """A random body in the layout of the official file, float64."""
    from mmd2a.body_models.families import family_of

    family = family_of(model_type)
    joints, generator = family.num_joints, np.random.default_rng(seed)
    number = num_shape or dict(smpl=300, smplh=16, smplx=400)[model_type]
    parents = np.array(family.parents, np.int64)
    parents[0] = 2**32 - 1
    arrays = dict(
        v_template=generator.random((num_vertices, 3)) - 0.5,
        f=generator.integers(0, num_vertices, (500, 3)).astype(np.uint32),
        shapedirs=0.01 * generator.normal(size=(num_vertices, 3, number)),
        posedirs=0.001
        * generator.normal(size=(num_vertices, 3, 9 * (joints - 1))),
        J_regressor=_some_rows(generator, joints, num_vertices, 20),
        weights=_some_rows(generator, num_vertices, joints, 8),
        kintree_table=np.stack([parents, np.arange(joints)]).astype(np.uint32),
        J=np.zeros((joints, 3)),
        bs_style='lbs',
        bs_type='lrotmin',
    )
    if family.has_hands:
        for side in 'lr':
            turn = np.linalg.qr(generator.normal(size=(45, 45)))[0]
            arrays[f'hands_components{side}'] = turn
            arrays[f'hands_mean{side}'] = 0.2 * generator.normal(size=45)
            arrays[f'hands_coeffs{side}'] = np.zeros((1554, 45))
    if family.has_expression:
        arrays.update(
            lmk_faces_idx=generator.integers(0, 500, 51),
            lmk_bary_coords=np.full((51, 3), 1 / 3),
            joint2num=np.array(dict(Pelvis=0), object),
            part2num=np.array(dict(head=0), object),
        )
    return arrays


@pytest.fixture
def official():
    """``official(model_type, num_vertices, num_shape) -> arrays``."""
    return _official_arrays


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
