"""Where a run starts: anew, from weights, or from where another one stopped.

What a command says about it is about this one call. It is kept apart from the
config, which MMEngine writes into the work folder and into checkpoints: run
again, that config must not go back to where a resumed training once was.
"""

import os
import os.path as osp
import re
from dataclasses import dataclass

from mmengine.config import Config
from mmengine.runner import Runner, find_latest_checkpoint

from mmd2a.cli.checkpoint_names import checkpoint_address
from mmd2a.cli.tool_config import UsageError
from mmd2a.weights import SCHEME

_CHECKPOINT = re.compile(r'(epoch|iter|stopped_at_iter)_\d+\.pth')


@dataclass(frozen=True)
class Start:
    """The checkpoint that a run starts from.

    Args:
        checkpoint: file or address.
        resume: go on with its training; otherwise take only its weights.
    """

    checkpoint: str
    resume: bool = False

    def apply(self, runner: Runner) -> None:
        """Have a runner that was just built start here."""
        runner._load_from = self.checkpoint
        runner._resume = self.resume


def start_of_training(cfg: Config, resume: str | None) -> Start | None:
    """Decide where a training starts, and keep earlier ones.

    ``resume`` and what it resumes from are taken out of the config;
    ``load_from`` without ``resume``, weights to begin with, stays in it.
    A work folder that was moved or copied continues with its own checkpoint.

    Args:
        cfg: the config; ``work_dir`` says where the training is.
        resume: checkpoint to continue from, ``'auto'`` for the latest in the
            work folder (there may be none yet), None for no wish.

    Returns:
        Where it starts; None if that is for the config to say.

    Raises:
        UsageError: the checkpoint is not there, or a training in the work
            folder would be overwritten.

    Example:
        >>> start_of_training(Config(dict(work_dir='new')), None)
        >>> start_of_training(Config(dict(work_dir='new')), 'no.pth')
        Traceback (most recent call last):
        mmd2a.cli.tool_config.UsageError: there is no checkpoint no.pth
    """
    wanted = _take_wish(cfg)
    if resume is None and wanted is not None and wanted != 'auto':
        _refuse_to_go_back(cfg.work_dir, wanted)
        resume = wanted
    elif resume is None:
        resume = wanted
    if resume == 'auto':
        resume = _latest(cfg.work_dir) or (
            None if wanted == 'auto' else wanted
        )
    elif resume is None:
        _keep_earlier_training(cfg.work_dir)
    if resume is None:
        return None
    resume = checkpoint_address(resume)
    if resume.startswith(SCHEME):
        raise UsageError(
            f'{resume} has weights alone, no training to go on with: begin '
            f'from them with --cfg-options load_from={resume}'
        )
    return Start(resume, resume=True)


def start_of_test(checkpoint: str) -> Start:
    """Take the weights of a checkpoint, and nothing else.

    Args:
        checkpoint: file, address, or name of weights that ship.

    Raises:
        UsageError: it is not there.
    """
    return Start(checkpoint_address(checkpoint))


def _take_wish(cfg: Config) -> str | None:
    """What the config itself wants to resume from; taken out of it."""
    if not cfg.get('resume'):
        return None
    wish = cfg.get('load_from') or 'auto'
    cfg.resume = False
    cfg.load_from = None
    return wish


def _latest(work_dir: str) -> str | None:
    latest = find_latest_checkpoint(work_dir)
    if latest is None:
        names = _checkpoints(work_dir)
        if names:
            raise UsageError(
                f'{work_dir} has {names[-1]}, but no file last_checkpoint '
                'that says which one is the latest: resume from one with '
                '--resume PATH, or start in another --work-dir'
            )
        return None
    here = osp.join(work_dir, osp.basename(latest))
    checkpoint = here if osp.isfile(here) else latest
    if '://' not in checkpoint and not osp.isfile(checkpoint):
        raise UsageError(
            f'{work_dir}/last_checkpoint names a checkpoint that is gone. '
            'Resume from one that is there with --resume PATH, or start in '
            'another --work-dir'
        )
    return checkpoint


def _keep_earlier_training(work_dir: str) -> None:
    if osp.isfile(osp.join(work_dir, 'last_checkpoint')) or _checkpoints(
        work_dir
    ):
        raise UsageError(
            f'{work_dir} has the checkpoints of an earlier training, which '
            'would be overwritten: continue it with --resume, or start in a '
            'new folder with --work-dir'
        )


def _refuse_to_go_back(work_dir: str, wanted: str) -> None:
    latest = find_latest_checkpoint(work_dir)
    if latest is not None and osp.basename(latest) != osp.basename(wanted):
        raise UsageError(
            f'the config resumes from {wanted}, but {work_dir} has been '
            f'trained up to {osp.basename(latest)}, which would be '
            'overwritten: continue with --resume, or go back on purpose with '
            f'--resume {wanted}'
        )


def _checkpoints(work_dir: str) -> list[str]:
    names = os.listdir(work_dir) if osp.isdir(work_dir) else []
    return sorted(
        (name for name in names if _CHECKPOINT.fullmatch(name)),
        key=lambda name: int(re.findall(r'\d+', name)[-1]),
    )
