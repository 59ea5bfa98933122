"""Random numbers that depend on the epoch, not on what came before."""
import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmd2a.registry import HOOKS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    r"""Seed all generators at the start of each epoch.

    The seed is a hash of (seed of the run, epoch, rank). A run resumed after
    epoch :math:`e` draws the same dropout, masks and worker seeds in epoch
    :math:`e + 1` as one that was never interrupted; checkpoints do not hold
    the state of any generator. Ranks draw different numbers.

    For training by epochs; in training by iterations it acts once, at the
    start.

    Example:
        >>> default_hooks = dict(epoch_seed=dict(type='mmd2a.EpochSeedHook'))
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed NumPy, ``random`` and torch on every device."""
        seeds = np.random.SeedSequence(
            [runner.seed, runner.epoch, get_rank()]).generate_state(8)
        random.seed(seeds.tobytes())
        np.random.seed(seeds[:4])
        torch.manual_seed(int(seeds[4:6].view(np.uint64)[0]))
