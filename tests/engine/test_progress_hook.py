"""A line that moves in a terminal, a line per epoch elsewhere."""

import io
import sys
import uuid

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn

from mmd2a.engine.progress_hook import ProgressHook, short_metrics


class Model(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, x, mode='tensor'):
        y = self.layer(torch.stack(x))
        return y if mode == 'predict' else dict(loss=y.square().mean())


class Metric(BaseMetric):
    default_prefix = 'p'

    def process(self, data_batch, data_samples):
        self.results.append(1.0)

    def compute_metrics(self, results):
        return dict(MPJPE=80.5, num_samples=len(results))


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def run(tmp_path, monkeypatch):
    """``run(console, **train_cfg) -> lines`` of a training and a test."""

    def run(console, **train_cfg):
        loader = dict(
            dataset=[dict(x=torch.ones(1)) for _ in range(6)],
            batch_size=1,
            sampler=dict(type='DefaultSampler', shuffle=False),
        )
        runner = Runner(
            Model(),
            str(tmp_path),
            train_dataloader=loader,
            val_dataloader=loader,
            test_dataloader=loader,
            train_cfg=train_cfg,
            val_cfg=dict(),
            test_cfg=dict(),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
            val_evaluator=Evaluator(Metric()),
            test_evaluator=Evaluator(Metric()),
            experiment_name=uuid.uuid4().hex,
        )
        monkeypatch.setattr(sys, 'stderr', console)
        runner.register_hook(ProgressHook())
        runner.train()
        runner.test()
        return console.getvalue().split('\n')

    return run


def test_a_file_gets_a_line_per_epoch(run):
    console = io.StringIO()
    *epochs, last, end = run(
        console, by_epoch=True, max_epochs=3, val_interval=2
    )
    assert [line.split(',')[0] for line in epochs] == [
        f'epoch {number}/3' for number in (1, 2, 3)
    ]
    assert all(' loss 0.' in line or ' loss 1.' in line for line in epochs)
    # The last epoch is validated whatever the interval.
    assert ['p: MPJPE 80.50' in line for line in epochs] == [False, True, True]
    assert epochs[1].endswith(' left') and ' left' not in epochs[2]
    assert last == 'evaluation, p: MPJPE 80.50' and end == ''


def test_a_training_by_iterations_gets_a_line_per_validation(run):
    lines = run(io.StringIO(), by_epoch=False, max_iters=9, val_interval=4)
    assert [line.split(',')[0] for line in lines[:-1]] == [
        'iteration 4/9',
        'iteration 8/9',
        'iteration 9/9',
        'evaluation',
    ]


def test_a_terminal_has_one_line_of_each(run):
    training, evaluation, end = run(
        Terminal(), by_epoch=True, max_epochs=3, val_interval=2
    )
    assert end == ''
    moves = training.split('\r')
    assert 'epoch 3/3 100%' in moves[-1] and 'MPJPE 80.50' in moves[-1]
    assert 'evaluation 100%' in evaluation.split('\r')[-1]
    assert 'p: MPJPE 80.50' in evaluation.split('\r')[-1]


def test_metrics_without_a_number_are_left_out():
    metrics = {'a/x': [1, 2], 'a/num_samples': 3, 'b': torch.tensor(2.0)}
    assert short_metrics(metrics) == 'b 2.00'
    many = {f'{group}/{name}': 1 for group in 'ab' for name in 'xyz'}
    assert short_metrics(many) == 'a: x 1.00, y 1.00; b: x 1.00, y 1.00'
