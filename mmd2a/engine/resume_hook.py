"""What resuming a training needs beyond what MMEngine restores."""

import copy
import warnings
from collections.abc import Iterator
from typing import Any

from mmengine.hooks import Hook
from mmengine.optim import ReduceOnPlateauParamScheduler
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmd2a.engine.checkpoint_loading import CheckpointError
from mmd2a.engine.mid_epoch import RestOfEpoch, steps_into_epoch
from mmd2a.registry import HOOKS

# What of a scheduler's state says how far it is; the rest are settings.
_PROGRESS = frozenset(
    {'last_step', '_global_step', '_last_value', 'base_values'}
)
_INITIAL = 'initial_'


@HOOKS.register_module()
class ResumeHook(Hook):
    """Resume as if the training had never stopped, by the config as it is now.

    - From the middle of an epoch, where a training was told to stop, it goes
      on with the next step, with the random numbers that it would have had.
    - A run without a seed shuffles as it would have done: MMEngine takes the
      seed of the checkpoint when the sampler has got another one already.
    - Schedules follow the config: MMEngine takes their settings from the
      checkpoint, so that a training resumed with more epochs, another
      milestone or another factor goes on by the old schedule, for a cosine
      with the learning rate at its end. Where settings differ, the values are
      computed anew from the first step. Schedules that depend on metrics
      (``ReduceOnPlateau``) are left as they are.
    - A checkpoint that MMEngine did not make is refused with a clear error.

    Example:
        >>> default_hooks = dict(resume=dict(type='mmd2a.ResumeHook'))
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._seed: int | None = None
        self._resumed = False
        self._saved: Any = None
        self._rest: RestOfEpoch | None = None
        self._steps_into_epoch = 0

    def before_run(self, runner: Runner) -> None:
        """Note the seed that the data loader was built with."""
        self._seed = runner.seed

    def after_load_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Note the schedules of the checkpoint.

        Raises:
            CheckpointError: there is nothing in the checkpoint to resume from.
        """
        if not runner._resume:
            return
        if 'message_hub' not in checkpoint:
            raise CheckpointError(
                'the checkpoint to resume from was not made by MMEngine: '
                'epoch, schedule and logs cannot be continued. Start from its '
                'weights with load_from=CHECKPOINT, without resuming'
            )
        self._resumed = True
        self._saved = checkpoint.get('param_schedulers')
        self._steps_into_epoch = steps_into_epoch(checkpoint)
        if self._steps_into_epoch:
            self._rest = RestOfEpoch(checkpoint)

    def before_train(self, runner: Runner) -> None:
        """Give the sampler its seed and the schedules their settings."""
        if not self._resumed:
            return
        sampler = runner.train_dataloader.sampler
        if getattr(sampler, 'seed', None) == self._seed:
            sampler.seed = runner.seed
        if self._saved is not None and 'param_scheduler' in runner.cfg:
            self._follow_config(runner)
        if self._rest is not None:
            self._rest.restore(runner)

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Go on after a validation that was made up for."""
        if self._rest is not None:
            self._rest.retake()

    def before_train_epoch(self, runner: Runner) -> None:
        """Skip what was seen."""
        if self._rest is not None:
            self._rest.begin(runner)
            if not isinstance(runner.train_loop, EpochBasedTrainLoop):
                self._rest = None

    def after_train_epoch(self, runner: Runner) -> None:
        """Go through the next epoch from its start."""
        if self._rest is not None:
            self._rest.end(runner)
            self._rest = None

    def _follow_config(self, runner: Runner) -> None:
        groups = _param_groups(runner.optim_wrapper)
        before = [dict(group) for group in groups]
        for group in groups:
            for key in [key for key in group if key.startswith(_INITIAL)]:
                group[key.removeprefix(_INITIAL)] = group[key]
        fresh = _build(runner)
        schedulers = list(_flat(fresh))
        if _settings(fresh) == _settings(self._saved) or any(
            isinstance(scheduler, ReduceOnPlateauParamScheduler)
            for scheduler in schedulers
        ):
            for group, values in zip(groups, before):
                group.update(values)
            return
        with warnings.catch_warnings():
            # No optimiser has stepped yet, which the schedulers remark.
            warnings.simplefilter('ignore', UserWarning)
            _replay(runner, schedulers, self._steps_into_epoch)
        runner.param_schedulers = fresh
        runner.logger.info(
            'The schedule is not that of the checkpoint; the learning rate is '
            'what the config gives for this step: '
            f'{_rates(before)} becomes {_rates(groups)}'
        )


def _param_groups(optim_wrapper: Any) -> list[dict]:
    groups = optim_wrapper.param_groups
    if isinstance(groups, dict):  # an optimiser per module
        return [group for some in groups.values() for group in some]
    return groups


def _build(runner: Runner) -> Any:
    config = copy.deepcopy(runner.cfg.param_scheduler)
    return [] if config is None else runner.build_param_scheduler(config)


def _flat(schedulers: Any) -> Iterator[Any]:
    lists = (
        schedulers.values() if isinstance(schedulers, dict) else [schedulers]
    )
    return (scheduler for some in lists for scheduler in some)


def _settings(schedulers: Any) -> Any:
    """Settings of schedulers, or of their states in a checkpoint."""
    if isinstance(schedulers, dict):
        return {name: _settings(some) for name, some in schedulers.items()}
    states = [
        scheduler if isinstance(scheduler, dict) else scheduler.state_dict()
        for scheduler in schedulers
    ]
    return [
        {key: value for key, value in state.items() if key not in _PROGRESS}
        for state in states
    ]


def _replay(runner: Runner, schedulers: list, steps_into_epoch: int) -> None:
    """Step new schedulers as often as the training has stepped them."""
    by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
    epochs = runner.epoch if by_epoch else 0
    done = runner.iter - steps_into_epoch
    epoch_length = max(done // epochs, 1) if epochs else 0
    for iteration in range(1, runner.iter + 1):
        for scheduler in schedulers:
            if not scheduler.by_epoch:
                scheduler.step()
        if epochs and iteration % epoch_length == 0:
            epochs -= 1
            for scheduler in schedulers:
                if scheduler.by_epoch:
                    scheduler.step()


def _rates(groups: list[dict]) -> str:
    return ', '.join(
        f'{rate:.3g}'
        for rate in dict.fromkeys(group['lr'] for group in groups)
    )
