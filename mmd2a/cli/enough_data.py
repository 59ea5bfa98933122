"""Too few samples for what a run is to do with them, told before it starts."""

from typing import Any

from mmengine.dataset import DefaultSampler
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from mmd2a.cli.tool_config import UsageError


def require_enough_data(runner: Runner) -> None:
    """Have a runner refuse data that give no batch.

    What it trains on is built and checked here, before schedules are made of
    its length; what it validates or tests on when it starts.

    Raises:
        UsageError: naming the numbers. So do ``train`` and ``test``.
    """
    if runner.train_loop is not None:
        check_enough_data(
            runner.train_loop.dataloader,
            'train_dataloader',
            isinstance(runner.train_loop, EpochBasedTrainLoop),
        )
    runner.register_hook(_EnoughData())


def check_enough_data(
    loader: DataLoader, name: str, ends: bool = True
) -> None:
    """Check that a data loader gives every rank a batch.

    Data of unknown length are not checked.

    Args:
        loader: the data loader of this rank.
        name: its name in the config, for the message.
        ends: whether the loop asks for no more than one pass over the data;
            otherwise samplers may go round and round.

    Raises:
        UsageError: naming the numbers.

    Example:
        >>> check_enough_data(DataLoader([1, 2], batch_size=2), 'loader')
        >>> check_enough_data(DataLoader([]), 'loader')
        Traceback (most recent call last):
        mmd2a.cli.tool_config.UsageError: loader has 0 samples: ...
    """
    dataset: Any = loader.dataset
    try:
        samples = len(dataset)
    except TypeError:
        return
    if samples == 0:
        raise UsageError(
            f'{name} has 0 samples: its data set is empty, or its filters '
            'leave nothing'
        )
    sampler: Any = loader.sampler
    if loader.batch_size is None:  # the config names a batch_sampler
        sampler = getattr(loader.batch_sampler, 'sampler', sampler)
    if not (ends or isinstance(sampler, DefaultSampler)):
        return
    ranks = get_world_size()
    rounds_up = getattr(sampler, 'round_up', True)
    share = len(sampler) if rounds_up else samples // ranks
    among = f' for {ranks} ranks, {share} each' if ranks > 1 else ''
    has = f'{name} has {samples} sample{"s" * (samples > 1)}{among}'
    if share == 0:
        raise UsageError(
            f'{has}: use fewer ranks or more data, or set '
            f'{name}.sampler.round_up=True'
        )
    batch_size = loader.batch_size or getattr(
        loader.batch_sampler, 'batch_size', None
    )
    if len(loader) == 0 or (
        loader.drop_last and batch_size is not None and share < batch_size
    ):
        raise UsageError(
            f'{has}: fewer than a batch of {batch_size}, and drop_last=True '
            f'leaves no batch; lower {name}.batch_size or set '
            f'{name}.drop_last=False'
        )


class _EnoughData(Hook):
    # Before hooks that begin to work.
    priority = 'HIGHEST'

    def before_run(self, runner: Runner) -> None:
        for name in ('val', 'test'):
            loop = getattr(runner, f'_{name}_loop')
            # Still a dict is what this run does not use.
            if loop is not None and not isinstance(loop, dict):
                check_enough_data(loop.dataloader, f'{name}_dataloader')
