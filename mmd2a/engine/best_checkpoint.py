"""The best checkpoint of a training that is resumed."""

import os.path as osp
import re
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner


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
