"""Random numbers that depend on the epoch, not on what came before."""

from typing import Any

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmd2a.engine.mid_epoch import steps_into_epoch
from mmd2a.engine.seeding import seed_generators
from mmd2a.registry import HOOKS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed all generators at the start of each epoch.

    The seed is a hash of (seed of the run, iterations before the epoch,
    rank). A run resumed after an epoch draws the same dropout, masks and
    worker seeds from then on as one that was never interrupted, without
    checkpoints that hold the state of every generator; of one resumed within
    an epoch, the workers do. Ranks draw different numbers.

    Workers that outlive an epoch (``persistent_workers``) would go on with
    numbers that those of a resumed run do not have: they are started anew.
    In training by iterations all this is done once, at the start.

    Example:
        >>> default_hooks = dict(epoch_seed=dict(type='mmd2a.EpochSeedHook'))
    """

    priority = 'VERY_HIGH'

    _steps_into_epoch = 0

    def after_load_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Note how far into an epoch a training goes on."""
        if runner._resume:
            self._steps_into_epoch = steps_into_epoch(checkpoint)

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed NumPy, ``random`` and torch on every device."""
        begin = runner.iter - self._steps_into_epoch
        self._steps_into_epoch = 0
        loader = runner.train_dataloader
        if getattr(loader, 'persistent_workers', False):
            loader._iterator = None
        seed_generators(runner.seed, begin, get_rank())
