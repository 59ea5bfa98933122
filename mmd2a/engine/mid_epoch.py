"""Checkpoints from the middle of an epoch, and going on from there.

MMEngine resumes at the start of an epoch. A training that is told to stop
cannot wait for the end of one, and one that repeats steps is another
training. So a checkpoint of the middle also holds how many steps of the epoch
are done and, per rank, what the next step depends on and no other checkpoint
needs: the states of the random numbers, and buffers (running statistics),
which ranks agree on only at the end of an epoch.
"""

import functools
import itertools
from collections.abc import Iterator
from typing import Any

from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmd2a.engine.seeding import generator_states, restore_generators

_KEY = 'mid_epoch'


def record_of_ranks(runner: Runner, steps: int) -> dict[str, Any]:
    """Take down, on all ranks, what going on after a step depends on.

    Args:
        runner: the runner, between two steps.
        steps: steps of this epoch that are done; of the whole training, when
            it is one by iterations.

    Returns:
        dict: for :func:`add_record`; the same on all ranks.
    """
    mine = dict(generators=generator_states(), buffers={})
    if get_world_size() > 1:
        model = _unwrapped(runner)
        weights = dict(model.named_parameters())
        mine['buffers'] = {
            name: value.cpu()
            for name, value in model.state_dict().items()
            if name not in weights
        }
    return dict(steps=steps, ranks=all_gather_object(mine))


def add_record(checkpoint: dict[str, Any], record: dict[str, Any]) -> None:
    """Put the record into the checkpoint that is about to be written."""
    checkpoint[_KEY] = record


def steps_into_epoch(checkpoint: dict[str, Any]) -> int:
    """Steps of its epoch that a checkpoint has behind it.

    Example:
        >>> steps_into_epoch(dict(mid_epoch=dict(steps=3)))
        3
        >>> steps_into_epoch({})
        0
    """
    return checkpoint.get(_KEY, {}).get('steps', 0)


class RestOfEpoch:
    """The first epoch of a training resumed from the middle of it.

    The batches that were seen are drawn again and dropped, which costs the
    time of loading them and brings workers to where they were.

    Args:
        checkpoint: what was loaded.
    """

    def __init__(self, checkpoint: dict[str, Any]) -> None:
        record = checkpoint[_KEY]
        self.steps: int = record['steps']
        self._loader: Any = None
        self._generators: dict[str, Any] | None = None
        self._buffers: dict[str, Any] = {}
        if len(record['ranks']) == get_world_size():
            mine = record['ranks'][get_rank()]
            self._generators = mine['generators']
            self._buffers = mine['buffers']

    def restore(self, runner: Runner) -> None:
        """Give this rank back what it had; validation may be next."""
        if self._generators is None:
            runner.logger.warning(
                'The checkpoint is from the middle of an epoch, with another '
                'number of ranks: the rest of it has other random numbers'
            )
        else:
            restore_generators(self._generators)
        _unwrapped(runner).load_state_dict(self._buffers, strict=False)

    def retake(self) -> None:
        """Go on from the random numbers as they are now."""
        if self._generators is not None:
            self._generators = generator_states()

    def begin(self, runner: Runner) -> None:
        """Have the loop skip what was seen and count on from there."""
        loop = runner.train_loop
        runner.logger.info(
            f'Loading the first {self.steps} batches once more, to go on '
            'with those after them'
        )
        if not isinstance(loop, EpochBasedTrainLoop):
            # MMEngine draws the batches that were seen, and drops them.
            loop.dataloader_iterator = self._restoring(
                loop.dataloader_iterator
            )
            return
        self._loader = loop.dataloader
        loop.dataloader = _Later(loop.dataloader, self)
        # MMEngine's loop counts the batches that it gets from 0.
        loop.run_iter = functools.partial(_count_on, loop.run_iter, self.steps)

    def end(self, runner: Runner) -> None:
        """Leave the loop as it was; the next epoch is an ordinary one."""
        if self._loader is not None:
            runner.train_loop.dataloader = self._loader
            del runner.train_loop.run_iter

    def _restoring(self, iterator: Iterator) -> Iterator:
        yield from itertools.islice(iterator, self.steps)
        if self._generators is not None:
            restore_generators(self._generators)
        yield from iterator


class _Later:
    """A data loader whose iterator begins with a later batch."""

    def __init__(self, loader: Any, rest: RestOfEpoch) -> None:
        self._loader = loader
        self._rest = rest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator:
        batches = self._rest._restoring(iter(self._loader))
        for _ in range(min(self._rest.steps, len(self._loader))):
            next(batches)
        return batches


def _count_on(run_iter: Any, first: int, idx: int, data_batch: Any) -> None:
    run_iter(first + idx, data_batch)


def _unwrapped(runner: Runner) -> Any:
    model = runner.model
    return model.module if is_model_wrapper(model) else model
