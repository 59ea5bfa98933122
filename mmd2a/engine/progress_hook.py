"""How far a run is, in one line."""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from tqdm import tqdm

__all__ = ['ProgressHook', 'short_metrics']

_BAR = '{desc} {percentage:3.0f}%|{bar}| {elapsed} + {remaining}{postfix}'


class ProgressHook(Hook):
    """Tell on standard error how far a training or an evaluation is.

    In a terminal it is one line that moves, with the time that is left. A
    file or a pipe gets a line per epoch (or per validation, where a training
    counts iterations), and one of an evaluation. The tools register it under
    ``--brief``, where what MMEngine's hooks say goes to a file.

    Example:
        >>> ProgressHook().priority
        'LOWEST'
    """

    # After everything that measures.
    priority = 'LOWEST'

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._line: str | None = None
        self._started = 0.0
        self._first = 0
        self._told_at = -1
        self._measured = ''

    @master_only
    def before_train(self, runner: Runner) -> None:
        """Begin the line of a training, at where it goes on."""
        self._first = runner.iter
        self._started = time.monotonic()
        self._begin(runner.max_iters, runner.iter)

    @master_only
    def before_train_epoch(self, runner: Runner) -> None:
        """Tell of an epoch that was not validated."""
        self._tell()

    @master_only
    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Move the line."""
        if self._bar is not None:
            self._bar.set_description_str(_where(runner), refresh=False)
            self._bar.set_postfix_str(
                _join(_loss(runner), self._measured), refresh=False
            )
            self._bar.update(runner.iter + 1 - self._bar.n)

    @master_only
    def after_train_epoch(self, runner: Runner) -> None:
        """Prepare the line of an epoch; its validation may follow."""
        if runner.iter != self._told_at:
            self._line = _join(_where(runner), _loss(runner))

    @master_only
    def after_val_epoch(
        self, runner: Runner, metrics: Mapping[str, Any] | None = None
    ) -> None:
        """Tell of an epoch and its validation."""
        self._measured = short_metrics(metrics or {})
        line = self._line or _join(_where(runner), _loss(runner))
        self._line = _join(line, self._measured)
        self._told_at = runner.iter
        self._tell(self._left(runner))

    @master_only
    def after_train(self, runner: Runner) -> None:
        """End the line."""
        self._tell()
        self._end()

    @master_only
    def before_test(self, runner: Runner) -> None:
        """Begin the line of an evaluation."""
        self._begin(len(runner.test_dataloader), 0)
        if self._bar is not None:
            self._bar.set_description_str('evaluation')

    @master_only
    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence | None = None,
    ) -> None:
        """Move the line."""
        if self._bar is not None:
            self._bar.update()

    @master_only
    def after_test_epoch(
        self, runner: Runner, metrics: Mapping[str, Any] | None = None
    ) -> None:
        """End the line with what was measured."""
        measured = short_metrics(metrics or {})
        if self._bar is not None:
            self._bar.set_postfix_str(measured)
        self._line = _join('evaluation', measured)
        self._tell()
        self._end()

    def _begin(self, total: int, done: int) -> None:
        if sys.stderr.isatty():
            self._bar = tqdm(
                total=total,
                initial=done,
                bar_format=_BAR,
                dynamic_ncols=True,
                file=sys.stderr,
            )

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _tell(self, left: str = '') -> None:
        if self._line is not None and self._bar is None:
            sys.stderr.write(f'{_join(self._line, left)}\n')
        self._line = None

    def _left(self, runner: Runner) -> str:
        """Time left, from the steps of this process."""
        steps = runner.iter - self._first
        remaining = runner.max_iters - runner.iter
        if steps < 1 or remaining < 1:
            return ''
        seconds = (time.monotonic() - self._started) * remaining / steps
        return f'{tqdm.format_interval(int(seconds))} left'


def short_metrics(metrics: Mapping[str, Any], most: int = 2) -> str:
    """Put the first errors into a few words, each after its protocol.

    Args:
        metrics: numbers, by names such as ``protocol/name``.
        most: how many of a protocol.

    Example:
        >>> short_metrics({'p/MPJPE': 80.5, 'p/PA-MPJPE': 60.0, 'p/PVE': 90.0})
        'p: MPJPE 80.50, PA-MPJPE 60.00'
    """
    groups: dict[str, list[str]] = {}
    for key, value in metrics.items():
        protocol, _, name = key.rpartition('/')
        try:
            told = f'{name} {float(value):.2f}'
        except (TypeError, ValueError):  # A picture, a list per class.
            continue
        if not name.startswith('num_'):
            groups.setdefault(protocol, []).append(told)
    return '; '.join(
        (f'{protocol}: ' if protocol else '') + ', '.join(told[:most])
        for protocol, told in groups.items()
    )


def _where(runner: Runner) -> str:
    if not isinstance(runner.train_loop, EpochBasedTrainLoop):
        return f'iteration {runner.iter}/{runner.max_iters}'
    epoch = min(runner.epoch + 1, runner.max_epochs)
    return f'epoch {epoch}/{runner.max_epochs}'


def _loss(runner: Runner) -> str:
    """Mean loss of the last steps."""
    scalars = runner.message_hub.log_scalars
    if 'train/loss' not in scalars:
        return ''
    return f'loss {scalars["train/loss"].mean(50):.3f}'


def _join(*parts: str) -> str:
    return ', '.join(part for part in parts if part)
