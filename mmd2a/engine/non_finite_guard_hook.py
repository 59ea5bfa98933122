"""Training that stops at the first NaN instead of learning from it."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from mmd2a.registry import HOOKS


class NonFiniteError(FloatingPointError):
    """A loss, a gradient or a weight is NaN or infinite."""


@HOOKS.register_module()
class NonFiniteGuardHook(Hook):
    """Keep NaN and infinity out of the weights and out of checkpoints.

    Gradients are looked at right before the optimiser uses them. If one is
    not finite the step is dropped: weights, momenta and weight decay stay as
    they were. Training then stops with an error that names iteration, losses,
    parameters and samples; or, with ``max_skipped``, warns and goes on. A
    checkpoint with a weight that is not finite is never written, so it cannot
    replace a good one.

    Ranks see the same reduced gradients and decide alike. With a gradient
    scaler, the steps that the scaler drops to adapt itself do not count.

    Args:
        max_skipped: how many steps in a row may be dropped before training
            stops.

    Example:
        >>> default_hooks = dict(guard=dict(type='mmd2a.NonFiniteGuardHook'))
    """

    # After the logger, so that the numbers are in the log, and before the
    # checkpoint hook; after EMAHook adds its weights to a checkpoint.
    priority = 'LOW'

    def __init__(self, max_skipped: int = 0) -> None:
        self.max_skipped = max_skipped
        self._skipped_in_a_row = 0
        self._bad_gradients: list[str] = []
        self._handles: list[Any] = []

    def before_train(self, runner: Runner) -> None:
        """Stand between the gradients and the optimiser."""
        self.after_train(runner)
        names = {
            param: name.removeprefix('module.')
            for name, param in runner.model.named_parameters()
        }

        def before_step(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
            self._drop_bad_step(optimizer, names)

        self._handles += [
            optimizer.register_step_pre_hook(before_step)
            for optimizer in _optimizers(runner.optim_wrapper)
        ]

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Stop, or warn, if something of this iteration is not finite."""
        # MMEngine has read these numbers for its log: no further wait for
        # the device.
        losses = {
            name: float(torch.as_tensor(value).detach())
            for name, value in (outputs or {}).items()
        }
        bad_gradients, self._bad_gradients = self._bad_gradients, []
        if all(map(math.isfinite, losses.values())) and not bad_gradients:
            self._skipped_in_a_row = 0
            return
        self._skipped_in_a_row += 1
        report = _report(runner, losses, bad_gradients, data_batch)
        # Running statistics are written in the forward pass: dropping the
        # step does not save them.
        spoilt = _non_finite(runner.model.named_buffers())
        if spoilt:
            raise NonFiniteError(
                f'{report} The running statistics {_some(spoilt)} are spoilt,'
                ' so training cannot go on from here. ' + _ADVICE
            )
        if self._skipped_in_a_row > self.max_skipped:
            raise NonFiniteError(f'{report} {_ADVICE}')
        runner.logger.warning(
            f'{report} Step dropped ({self._skipped_in_a_row} in a row, '
            f'{self.max_skipped} allowed).'
        )

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Refuse to write weights that are not finite."""
        for key in ('state_dict', 'ema_state_dict'):
            bad = _non_finite(checkpoint.get(key, {}).items())
            if bad:
                raise NonFiniteError(
                    f'No checkpoint written at iteration {runner.iter + 1}: '
                    f'{_some(bad)} in {key} are not finite. The checkpoints '
                    f'before it are untouched. {_ADVICE}'
                )

    def after_train(self, runner: Runner) -> None:
        """Step aside."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _drop_bad_step(
        self, optimizer: Optimizer, names: dict[nn.Parameter, str]
    ) -> None:
        # A gradient scaler leaves it to a fused optimiser to skip the step.
        if getattr(optimizer, 'found_inf', None) is not None:
            return
        params = [
            param
            for group in optimizer.param_groups
            for param in group['params']
            if param.grad is not None
        ]
        # One wait for the device; the largest absolute value, unlike a sum
        # of squares, does not overflow on finite gradients.
        largest = get_total_norm(
            [param.grad for param in params], norm_type=math.inf
        )
        if largest.isfinite():
            return
        # With clip_grad these are all: clipping by a norm that is not finite
        # spreads it.
        self._bad_gradients += [
            names.get(param, 'unnamed')
            for param in params
            if not bool(torch.isfinite(param.grad).all())
        ]
        # Optimisers pass over parameters that have no gradient.
        for param in params:
            param.grad = None


_ADVICE = (
    'Look at the data and labels of these samples; then try a lower '
    'learning rate or no --amp, and continue from the last '
    'checkpoint with --resume auto.'
)


def _optimizers(wrapper: OptimWrapper) -> list[Optimizer]:
    if isinstance(wrapper, OptimWrapperDict):
        return [single.optimizer for single in wrapper.values()]
    return [wrapper.optimizer]


def _non_finite(tensors: Iterable[tuple[str, Any]]) -> list[str]:
    return [
        name
        for name, value in tensors
        if isinstance(value, Tensor)
        and value.is_floating_point()
        and not bool(torch.isfinite(value).all())
    ]


def _some(names: list[str], limit: int = 3) -> str:
    shown = ', '.join(names[:limit])
    more = len(names) - limit
    return f'{shown} and {more} more' if more > 0 else shown


def _report(
    runner: Runner,
    losses: dict[str, float],
    bad_gradients: list[str],
    data_batch: Any,
) -> str:
    parts = [
        f'Not finite at iteration {runner.iter + 1} '
        f'(epoch {runner.epoch + 1}).'
    ]
    bad = [name for name, value in losses.items() if not math.isfinite(value)]
    values = ', '.join(f'{name}={value:.4g}' for name, value in losses.items())
    parts.append(f'Losses: {values}; not finite: {_some(bad) or "none"}.')
    if bad_gradients:
        parts.append(f'Gradients of {_some(bad_gradients)}.')
    samples = _sample_names(data_batch)
    if samples:
        parts.append(f'Samples: {_some(samples, limit=8)}.')
    return ' '.join(parts)


def _sample_names(data_batch: Any) -> list[str]:
    if not isinstance(data_batch, dict):
        return []
    names = []
    for sample in data_batch.get('data_samples') or []:
        for key in ('img_path', 'sample_idx'):
            if sample is not None and key in sample:
                names.append(str(sample.get(key)))
                break
    return names
