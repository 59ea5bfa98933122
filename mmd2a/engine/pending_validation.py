"""Which checkpoint was validated, and which one still has to be.

A checkpoint is written before the model in it is validated. Where a training
ended in between, the validation is made up for, or the best model and the
learning rates that depend on it would be others.
"""

from pathlib import Path

from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from mmd2a.files import write_text

# In the work folder: a checkpoint that is no new best is not written again.
_FILE = 'last_validation'
_KEY = 'last_validation'


def note_validation(runner: Runner) -> None:
    """Note, for checkpoints to come, that the model was just validated."""
    runner.message_hub.update_info(_KEY, runner.iter)


def record_validation(runner: Runner) -> None:
    """Note the same in the work folder."""
    write_text(Path(runner.work_dir) / _FILE, f'{runner.iter}\n')


def validation_is_pending(runner: Runner) -> bool:
    """Say whether a resumed training has to validate before it goes on.

    Not to be asked in the middle of an epoch.
    """
    loop = runner.train_loop
    if runner.val_loop is None:
        return False
    if isinstance(loop, EpochBasedTrainLoop):
        done, total = loop.epoch, loop.max_epochs
    elif isinstance(loop, IterBasedTrainLoop):
        done, total = loop.iter, loop.max_iters
    else:
        return False
    loop._decide_current_val_interval()
    due = done >= max(loop.val_begin, 1) and (
        done % loop.val_interval == 0 or done == total
    )
    return due and not _was_validated(runner)


def _was_validated(runner: Runner) -> bool:
    if runner.message_hub.runtime_info.get(_KEY) == runner.iter:
        return True
    # What the validation left in schedules is in no checkpoint then.
    if _depends_on_metrics(runner):
        return False
    try:
        return int((Path(runner.work_dir) / _FILE).read_text()) == runner.iter
    except (OSError, ValueError):
        return False


def _depends_on_metrics(runner: Runner) -> bool:
    schedulers = runner.param_schedulers or []
    lists = (
        schedulers.values() if isinstance(schedulers, dict) else [schedulers]
    )
    return any(
        getattr(scheduler, 'need_val_args', False)
        for some in lists
        for scheduler in some
    )
