"""A training told to stop goes on, in another process, to the same end."""

import copy
import signal
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook

from mmd2a.engine.stop_hook import StopHook
from mmd2a.engine.stopping import Stopped, handle_stop_signals

ITERATIONS = 12
BY_ITERATION = {
    'train_cfg': dict(
        _delete_=True,
        type='IterBasedTrainLoop',
        max_iters=ITERATIONS,
        val_interval=4,
    ),
    'default_hooks.checkpoint.by_epoch': False,
    'default_hooks.checkpoint.interval': 4,
    'default_hooks.checkpoint.save_best': None,
    'default_hooks.checkpoint.rule': None,
    'log_processor': dict(by_epoch=False),
    'param_scheduler': [dict(type='CosineAnnealingLR', by_epoch=False)],
}


class Signal(Hook):
    """Get a signal in a step, or in a step of a validation."""

    priority = 'NORMAL'

    def __init__(self, iteration, val_step=None, signum=signal.SIGTERM):
        self.iteration = iteration
        self.val_step = val_step
        self.signum = signum

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if self.val_step is None and runner.iter == self.iteration:
            signal.raise_signal(self.signum)

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        if (runner.iter, batch_idx) == (self.iteration, self.val_step):
            signal.raise_signal(self.signum)


@pytest.fixture
def train(toy):
    """``train(folder, *hooks, **changes) -> runner``, as the tool does."""

    def run(folder, *hooks, **changes):
        settings = {'train_cfg.max_epochs': 3, 'work_dir': folder}
        settings |= copy.deepcopy(changes)  # merging takes `_delete_` out
        if 'train_cfg' in settings:
            del settings['train_cfg.max_epochs']
        runner = toy(hooks=[*hooks, StopHook()], **settings)
        with handle_stop_signals():
            runner.train()
        return runner

    before = {
        number: signal.getsignal(number)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
    }
    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


def latest(folder):
    path = Path(folder, 'last_checkpoint').read_text()
    return torch.load(path, weights_only=True)


def assert_same_training(folder, other):
    first, second = latest(folder), latest(other)
    for part in ('state_dict', 'ema_state_dict', 'optimizer'):
        a, b = map(leaves, (first[part], second[part]))
        assert a.keys() == b.keys()
        for name in a:
            assert torch.equal(*map(torch.as_tensor, (a[name], b[name]))), name
    assert first['param_schedulers'] == second['param_schedulers']
    assert first['meta']['iter'] == second['meta']['iter']
    assert checkpoints(folder) == checkpoints(other)


def leaves(value, name=''):
    if isinstance(value, (dict, list)):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return {
            key: leaf
            for part, child in pairs
            for key, leaf in leaves(child, f'{name}.{part}').items()
        }
    return {} if isinstance(value, (str, type(None))) else {name: value}


def checkpoints(folder):
    return sorted(path.name for path in Path(folder).glob('*.pth'))


@pytest.mark.parametrize(
    'iteration, workers',
    [(0, 0), (5, 0), (5, 2), (7, 0), (11, 0)],
    ids=['first', 'within', 'within, workers', 'end of epoch', 'last'],
)
def test_a_stopped_training_ends_as_if_never_stopped(
    train, iteration, workers
):
    changes = {
        'train_dataloader.num_workers': workers,
        'train_dataloader.worker_init_fn': dict(type='mmd2a.init_worker'),
    }
    whole = train('whole', **changes)
    with pytest.raises(Stopped, match='SIGTERM.*saved.*--resume') as stop:
        train('parts', Signal(iteration), **changes)
    assert stop.value.exit_code == 143
    assert latest('parts')['meta']['iter'] == iteration + 1
    resumed = train('parts', resume=True, **changes)
    assert resumed.losses == whole.losses[iteration + 1 :]
    assert_same_training('whole', 'parts')


def test_it_can_be_stopped_again_and_again(train):
    train('whole')
    for iteration in range(ITERATIONS):
        with pytest.raises(Stopped):
            train('parts', Signal(iteration), resume=True)
    train('parts', resume=True)
    assert_same_training('whole', 'parts')


@pytest.mark.parametrize('interval', [1, 2])
def test_a_validation_is_broken_off_and_made_up_for(train, interval):
    changes = {'default_hooks.checkpoint.interval': interval}
    train('whole', **changes)
    for epoch in (1, 2, 3):
        with pytest.raises(Stopped, match=f'validation after epoch {epoch}'):
            train(
                'parts', Signal(4 * epoch, val_step=1), resume=True, **changes
            )
    train('parts', resume=True, **changes)
    assert_same_training('whole', 'parts')


def test_a_training_by_iterations_goes_on_as_well(train):
    whole = train('whole', **BY_ITERATION)
    for iteration in (2, 3, 9):
        with pytest.raises(Stopped, match=f'after iteration {iteration + 1}'):
            train('parts', Signal(iteration), resume=True, **BY_ITERATION)
    resumed = train('parts', resume=True, **BY_ITERATION)
    assert resumed.losses == whole.losses[10:]
    assert_same_training('whole', 'parts')


def test_accumulated_gradients_are_used_first(train):
    changes = {'optim_wrapper.accumulative_counts': 3}
    train('whole', **changes)
    with pytest.raises(Stopped, match='in epoch 2 after step 2 of 4'):
        train('parts', Signal(3), **changes)
    assert latest('parts')['meta']['iter'] == 6
    train('parts', resume=True, **changes)
    assert_same_training('whole', 'parts')


def test_checkpoints_within_epochs_are_gone_on_from_as_well(train):
    changes = {
        'default_hooks.checkpoint.by_epoch': False,
        'default_hooks.checkpoint.interval': 3,
        'default_hooks.checkpoint.max_keep_ckpts': -1,
    }
    train('whole', **changes)
    train('parts', load_from='whole/iter_6.pth', resume=True, **changes)
    assert_same_training_of_iterations('whole', 'parts')


def assert_same_training_of_iterations(whole, parts):
    a, b = (
        torch.load(f'{folder}/iter_12.pth', weights_only=True)['state_dict']
        for folder in (whole, parts)
    )
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_schedule_is_followed_from_the_middle_of_an_epoch(train):
    """One that differs from the checkpoint's is computed anew."""
    cosine = dict(type='CosineAnnealingLR', T_max=6, by_epoch=True)
    longer = {'param_scheduler': [dict(cosine, T_max=8)]}
    train('whole', **longer)
    rate = latest('whole')['optimizer']['param_groups'][0]['lr']
    with pytest.raises(Stopped):
        train('parts', Signal(5), param_scheduler=[cosine])
    train('parts', resume=True, **longer)
    resumed = latest('parts')['optimizer']['param_groups'][0]['lr']
    assert resumed == pytest.approx(rate, rel=1e-12)


def test_ctrl_c_stops_at_once_and_saves_nothing(train):
    with pytest.raises(Stopped) as stop:
        train('run', Signal(5, signum=signal.SIGINT))
    assert stop.value.exit_code == 130
    assert latest('run')['meta']['iter'] == 4


def test_without_the_hooks_that_resume_it_stops_at_once(train):
    with pytest.raises(Stopped):
        train(
            'run',
            Signal(5),
            **{'default_hooks.resume.type': 'SyncBuffersHook'},
        )
    assert latest('run')['meta']['iter'] == 4


def test_persistent_workers_do_not_change_a_resumed_training(train):
    changes = {
        'train_dataloader.num_workers': 2,
        'train_dataloader.persistent_workers': True,
        'train_dataloader.worker_init_fn': dict(type='mmd2a.init_worker'),
    }
    whole = train('whole', **changes)
    with pytest.raises(Stopped):
        train('parts', Signal(7), **changes)
    resumed = train('parts', resume=True, **changes)
    assert resumed.losses == whole.losses[8:]
