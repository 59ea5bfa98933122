"""Killed anywhere, a training ends with the files of one never killed."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook

EPOCHS = 3


class Killed(BaseException):
    """As a process ends that is killed: nothing after it is done."""


class Validations(Hook):
    """Count them; end the training within one, if asked to."""

    priority = 'NORMAL'

    def __init__(self, kill_in=None):
        self.epochs = []
        self.kill_in = kill_in

    def before_val_epoch(self, runner):
        self.epochs.append(runner.epoch)

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        if runner.epoch == self.kill_in and batch_idx == 1:
            raise Killed


@pytest.fixture
def train(toy):
    def run(folder, kill_in=None, **changes):
        hook = Validations(kill_in)
        settings = {'train_cfg.max_epochs': EPOCHS, 'resume': True} | changes
        runner = toy(hooks=[hook], work_dir=str(folder), **settings)
        try:
            runner.train()
        except Killed:
            pass
        return hook.epochs

    return run


def outcome(folder):
    """Names of the files that stay, and the best weights."""
    names = sorted(path.name for path in Path(folder).glob('*.pth'))
    best = [name for name in names if name.startswith('best_')]
    assert len(best) == 1, names
    weights = torch.load(Path(folder, best[0]), weights_only=True)
    last = Path(folder, 'last_checkpoint').read_text()
    info = torch.load(last, weights_only=True)['message_hub']['runtime_info']
    return (
        names,
        os.path.basename(last),
        os.path.basename(info['best_ckpt']),
        info['best_score'],
        {
            name: value.tolist()
            for name, value in weights['state_dict'].items()
        },
    )


@pytest.mark.parametrize('epoch', [2, EPOCHS])
def test_a_validation_that_was_broken_off_comes_first(train, epoch):
    train('whole')
    train('parts', kill_in=epoch)
    assert train('parts') == list(range(epoch, EPOCHS + 1))
    assert outcome('parts') == outcome('whole')
    # And only once.
    assert train('parts') == []


def test_none_comes_first_where_none_is_due(train):
    rare = {'train_cfg.val_interval': 2, 'train_cfg.max_epochs': 1}
    assert train('run', **rare) == [1]
    rare['train_cfg.max_epochs'] = 4
    assert train('run', **rare) == [2, 4]


def test_a_schedule_that_waits_for_the_validation_gets_it(train):
    plateau = dict(
        type='ReduceOnPlateauLR',
        monitor='error',
        by_epoch=True,
        patience=0,
        threshold=10.0,
        factor=0.5,
    )
    for folder, kill_in in (('whole', None), ('parts', 2)):
        train(folder, kill_in, param_scheduler=[plateau])
    train('parts', param_scheduler=[plateau])
    rates = [
        torch.load(f'{folder}/epoch_{EPOCHS}.pth', weights_only=True)[
            'param_schedulers'
        ]
        for folder in ('whole', 'parts')
    ]
    assert rates[0][0]['_last_value'] == rates[1][0]['_last_value']
    assert rates[0][0]['num_bad_epochs'] == rates[1][0]['num_bad_epochs']


def test_killed_between_any_two_files_the_best_is_the_same(train, monkeypatch):
    real = dict(replace=os.replace, remove=os.remove, unlink=os.unlink)

    def kill_at(number, patch):
        calls = []

        def wrap(name):
            def call(path, *args, **kwargs):
                if '.pth' in str(path) or 'last_' in str(path):
                    calls.append(name)
                    if len(calls) == number + 1:
                        raise Killed
                return real[name](path, *args, **kwargs)

            return call

        for name in real:
            patch.setattr(os, name, wrap(name))
        return calls

    with monkeypatch.context() as patch:
        everything = kill_at(100, patch)
        train('whole')
    expected = outcome('whole')
    # A checkpoint and its name each epoch, a best one, and removals: how many
    # of these depends on which epoch was best, which rounding decides.
    assert everything.count('replace') > 2 * EPOCHS
    assert len(everything) > everything.count('replace')
    for number in range(100):
        shutil.rmtree('parts', ignore_errors=True)
        with monkeypatch.context() as patch:
            calls = kill_at(number, patch)
            train('parts')
        if len(calls) <= number:
            break
        train('parts')
        assert outcome('parts') == expected, (number, calls[-1])
    assert number == len(everything)


def test_a_copied_folder_has_a_best_of_its_own(train):
    train('run', **{'train_cfg.max_epochs': 1})
    shutil.copytree('run', 'copy')
    before = sorted(os.listdir('run'))
    train('copy')
    assert sorted(os.listdir('run')) == before
    train('run')
    assert outcome('copy')[0] == outcome('run')[0]


def test_going_back_leaves_one_best(train):
    train('run', **{'default_hooks.checkpoint.max_keep_ckpts': -1})
    Path('run', f'best_error_epoch_{EPOCHS + 4}.pth').touch()
    train('run', load_from='run/epoch_1.pth')
    assert outcome('run')


def test_a_best_of_another_metric_is_not_compared(train):
    # Any error is below this best of another kind.
    train('run', **{'train_cfg.max_epochs': 1})
    path = Path('run', 'epoch_1.pth')
    checkpoint = torch.load(path, weights_only=True)
    checkpoint['message_hub']['runtime_info'].update(
        best_score=-1.0, best_ckpt='run/best_PCK_epoch_1.pth'
    )
    torch.save(checkpoint, path)
    train('run')
    assert outcome('run')[3] > 0
