"""The best checkpoint: by which metric, and that of a resumed training."""

import os.path as osp
import re
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner


class SaveBestError(ValueError):
    """The best checkpoint is to be chosen by a metric that there is not."""


def check_save_best(hook: CheckpointHook, runner: Runner) -> None:
    """Check before a training what can be known of the metric by then.

    Raises:
        SaveBestError: naming what there is.
    """
    metrics = runner.val_evaluator.metrics if runner.val_loop else []
    if not metrics or not all(hasattr(one, 'protocols') for one in metrics):
        return
    names = [one.name for metric in metrics for one in metric.protocols]
    for key in hook.key_indicators if hook.save_best else []:
        if key != 'auto' and key.split('/')[0] not in names:
            raise _error(key, f'the protocols are {", ".join(names)}')


def check_measured(hook: CheckpointHook, measured: dict[str, Any]) -> None:
    """Check the same against what was measured.

    Raises:
        SaveBestError: naming what there is.
    """
    for key in hook.key_indicators if hook.save_best else []:
        if key != 'auto' and key not in measured:
            raise _error(key, f'there are {", ".join(measured)}')


def _error(key: str, known: str) -> SaveBestError:
    return SaveBestError(
        f'the checkpoint hook has save_best={key!r}, but {known}: change '
        "default_hooks.checkpoint.save_best, or set it to 'auto' for the "
        'first metric there is'
    )


def adopt_best(hook: CheckpointHook, runner: Runner) -> None:
    """Have a hook go on with the best checkpoint that a checkpoint names.

    - In a work folder that was moved or copied, it is the one there: that of
      the original is not touched.
    - Other files of the same metric, left by an interruption or by epochs
      that are to be trained once more, are removed.
    - A best of another metric than the config now saves by is forgotten: its
      score would be compared with numbers of another kind.

    Args:
        hook: the hook, after MMEngine's ``before_train``.
        runner: the runner, resumed.
    """
    info = runner.message_hub.runtime_info
    if info.get('last_ckpt'):
        # Known, so that the latest is written again with a new best.
        hook.last_ckpt = _here(hook, info['last_ckpt'])
    for metric in hook.key_indicators if hook.save_best else []:
        only = len(hook.key_indicators) == 1
        suffix = '' if only else f'_{metric}'
        path = info.get(f'best_ckpt{suffix}')
        if path is not None:
            path = _here(hook, path)
            if not _names(hook, metric).fullmatch(osp.basename(path)):
                path = None
                info.pop(f'best_score{suffix}', None)
        if path is None:
            info.pop(f'best_ckpt{suffix}', None)
        else:
            runner.message_hub.update_info(f'best_ckpt{suffix}', path)
        if only:
            hook.best_ckpt_path = path
        else:
            hook.best_ckpt_path_dict[metric] = path
        _remove_others(hook, runner, metric, path)


def _here(hook: CheckpointHook, path: str) -> str:
    return hook.file_backend.join_path(hook.out_dir, osp.basename(path))


def _names(hook: CheckpointHook, metric: str) -> re.Pattern[str]:
    """File names that MMEngine gives to the best by a metric."""
    metric = r'.+' if metric == 'auto' else re.escape(metric.replace('/', '_'))
    when = re.escape(hook.filename_tmpl).replace(r'\{\}', r'\d+')
    return re.compile(f'best_{metric}_{when}')


def _remove_others(
    hook: CheckpointHook, runner: Runner, metric: str, best: str | None
) -> None:
    folder = Path(str(hook.out_dir))
    if not is_main_process() or not folder.is_dir():
        return
    for path in folder.glob('best_*'):
        if str(path) != str(best) and _names(hook, metric).fullmatch(
            path.name
        ):
            path.unlink()
            runner.logger.info(
                f'Removed {path.name}, which is no best of this training'
            )
