"""Ending a training that is told to stop where it can go on."""

from typing import Any

import torch
import torch.distributed as torch_dist
from mmengine.dist import is_distributed
from mmengine.hooks import EMAHook, Hook
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmd2a.engine.checkpoint_hook import AtomicCheckpointHook
from mmd2a.engine.epoch_seed_hook import EpochSeedHook
from mmd2a.engine.resume_hook import ResumeHook
from mmd2a.engine.stopping import Stopped, defer_stops, requested_stop

_NEEDED = (AtomicCheckpointHook, EpochSeedHook, ResumeHook)


class StopHook(Hook):
    """Save after the step when SIGTERM or SIGUSR1 arrive, then stop.

    Resumed, the training ends as if it had not been stopped, to the last bit.
    All ranks stop after the same step, whichever of them was told. With
    accumulated gradients, which are in no checkpoint, it is the step that
    uses them. A validation is broken off; it comes first in the resumed
    training. Ctrl-C stops at once, without a checkpoint.

    The tools register it; :func:`handle_stop_signals
    <mmd2a.engine.stopping.handle_stop_signals>` has to be in force. It needs
    the hooks of this package that save and resume, and does nothing without.

    Raises:
        Stopped: from the hook, when all is saved.

    Example:
        >>> StopHook().priority
        'LOWEST'
    """

    # After everything that changes the state, and after regular saves.
    priority = 'LOWEST'

    def __init__(self) -> None:
        self._deferred = False
        self._group: Any = None
        self._asked: tuple[Any, torch.Tensor] | None = None
        self._signum = 0

    def before_train(self, runner: Runner) -> None:
        """Keep signals for later from now on."""
        if not all(
            any(isinstance(hook, kind) for hook in runner.hooks)
            for kind in _NEEDED
        ):
            return
        if is_distributed():
            # Of its own, on the CPU: no wait for the GPU, and no mixing with
            # the collectives of the model.
            self._group = torch_dist.new_group(backend='gloo')
        defer_stops()
        self._deferred = True

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Save and stop, if told to, and if this is the place."""
        self._signum = self._signum or self._agree()
        if not self._signum or not _is_update(runner.optim_wrapper):
            return
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            steps = len(runner.train_dataloader)
            if batch_idx + 1 == steps:  # the end of the epoch does it
                return
            where = (
                f'in epoch {runner.epoch + 1} after step {batch_idx + 1} of '
                f'{steps}'
            )
        else:
            where = f'after iteration {runner.iter + 1}'
        self._stop(runner, runner.epoch, runner.iter + 1, where)

    def after_train_epoch(self, runner: Runner) -> None:
        """Stop between two epochs, or before the validation."""
        if (
            self._signum
            and isinstance(runner.train_loop, EpochBasedTrainLoop)
            and _is_update(runner.optim_wrapper)
        ):
            epoch = runner.epoch + 1
            self._stop(runner, epoch, runner.iter, f'after epoch {epoch}')

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
    ) -> None:
        """Break off a validation; each rank for itself."""
        signum = requested_stop() if self._deferred else None
        if (
            not signum
            or not isinstance(runner.train_loop, EpochBasedTrainLoop)
            or not _is_update(runner.optim_wrapper)
        ):
            return
        for hook in runner.hooks:
            if isinstance(hook, EMAHook):  # has put its weights into the model
                hook.after_val_epoch(runner)
        self._signum = signum
        self._group = None
        where = f'in the validation after epoch {runner.epoch}'
        self._stop(runner, runner.epoch, runner.iter, where)

    def after_train(self, runner: Runner) -> None:
        """Take signals as they come again."""
        if self._asked is not None:
            self._asked[0].wait()
        self._asked = self._group = None
        defer_stops(False)
        self._deferred = False

    def _agree(self) -> int:
        """Signal that some rank has got, the same answer on all; 0: none.

        Asked after one step and answered after the next, nobody waits.
        """
        mine = requested_stop() or 0
        if self._group is None:
            return mine if self._deferred else 0
        before = self._asked
        flag = torch.tensor([mine])
        work = torch_dist.all_reduce(
            flag, torch_dist.ReduceOp.MAX, self._group, async_op=True
        )
        self._asked = work, flag
        if before is None:
            return 0
        before[0].wait()
        return int(before[1])

    def _stop(
        self, runner: Runner, epoch: int, iteration: int, where: str
    ) -> None:
        hook = next(
            hook
            for hook in runner.hooks
            if isinstance(hook, AtomicCheckpointHook)
        )
        path = hook.save_stop(runner, epoch, iteration)
        if self._group is not None:
            # The first rank to leave may have the launcher end the others.
            torch_dist.barrier(self._group)
        runner.visualizer.close()
        raise Stopped(
            self._signum, f'{where}; saved {path}, go on with --resume'
        )


def _is_update(wrapper: OptimWrapper | OptimWrapperDict) -> bool:
    """Whether no gradients are accumulated for a later step."""
    some = (
        wrapper.values()
        if isinstance(wrapper, OptimWrapperDict)
        else [wrapper]
    )
    return all(
        one._inner_count % one._accumulative_counts == 0 for one in some
    )
