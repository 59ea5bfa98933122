"""Fewer samples than a batch, than ranks, or none at all."""

import pytest
from mmengine.dataset import DefaultSampler, InfiniteSampler
from torch.utils.data import DataLoader, IterableDataset

from mmd2a.cli import enough_data
from mmd2a.cli.enough_data import check_enough_data, require_enough_data
from mmd2a.cli.tool_config import UsageError


@pytest.mark.parametrize(
    'changes, why',
    [
        (
            {
                'train_dataloader.dataset.length': 3,
                'train_dataloader.drop_last': True,
            },
            'train_dataloader has 3 samples: fewer than a batch of 4.*'
            'train_dataloader.drop_last=False',
        ),
        (
            {'train_dataloader.dataset.length': 0},
            'train_dataloader has 0 samples',
        ),
        ({'val_dataloader.dataset.length': 0}, 'val_dataloader has 0 samples'),
        (
            {
                'val_dataloader.dataset.length': 1,
                'val_dataloader.drop_last': True,
            },
            'val_dataloader has 1 sample: fewer than a batch of 4',
        ),
    ],
    ids=['train, drop_last', 'train, empty', 'val, empty', 'val, drop_last'],
)
def test_a_training_without_a_batch_does_not_start(toy, changes, why):
    runner = toy(**changes)
    with pytest.raises(UsageError, match=why):
        require_enough_data(runner)
        runner.train()
    assert runner.losses == []


@pytest.mark.parametrize('length, drop_last', [(0, False), (3, True)])
def test_a_test_without_a_batch_does_not_start(toy, length, drop_last):
    runner = toy(
        **{
            'test_dataloader.dataset.length': length,
            'test_dataloader.drop_last': drop_last,
        }
    )
    runner._train_loop = None
    require_enough_data(runner)
    with pytest.raises(UsageError, match=f'test_dataloader has {length}'):
        runner.test()


def test_a_small_last_batch_is_a_batch(toy):
    runner = toy(**{'train_dataloader.dataset.length': 3})
    require_enough_data(runner)
    runner.train()
    assert len(runner.losses) == 2


@pytest.mark.parametrize(
    'samples, round_up, drop_last, why',
    [
        (1, False, False, 'has 1 sample for 2 ranks, 0 each: use fewer ranks'),
        (5, True, True, 'has 5 samples for 2 ranks, 3 each: fewer than a'),
        (7, False, True, 'has 7 samples for 2 ranks, 3 each: fewer than a'),
        (1, True, False, None),
        (8, False, True, None),
    ],
)
def test_every_rank_needs_a_batch(
    monkeypatch, samples, round_up, drop_last, why
):
    # The first of two ranks, which gets more where it does not come out even.
    monkeypatch.setattr(
        'mmengine.dataset.sampler.get_dist_info', lambda: (0, 2)
    )
    monkeypatch.setattr(enough_data, 'get_world_size', lambda: 2)
    data = list(range(samples))
    loader = DataLoader(
        data,
        batch_size=4,
        sampler=DefaultSampler(data, seed=0, round_up=round_up),
        drop_last=drop_last,
    )
    if why is None:
        check_enough_data(loader, 'data')
    else:
        with pytest.raises(UsageError, match=why):
            check_enough_data(loader, 'data')


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(3))


def test_data_without_end_or_length_are_not_counted():
    check_enough_data(DataLoader(Stream(), batch_size=4), 'data')
    loader = DataLoader(
        [1, 2], batch_size=4, sampler=InfiniteSampler([1, 2]), drop_last=True
    )
    check_enough_data(loader, 'data', ends=False)
    assert next(iter(loader)).shape == (4,)
