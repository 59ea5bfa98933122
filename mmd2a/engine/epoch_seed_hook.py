"""Random numbers that depend on the epoch, not on what came before."""

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmd2a.engine.seeding import seed_generators
from mmd2a.registry import HOOKS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed all generators at the start of each epoch.

    The seed is a hash of (seed of the run, iterations so far, rank). A run
    resumed after an epoch draws the same dropout, masks and worker seeds from
    then on as one that was never interrupted, without checkpoints that hold
    the state of every generator. Ranks draw different numbers.

    In training by iterations it acts once, at the start.

    Example:
        >>> default_hooks = dict(epoch_seed=dict(type='mmd2a.EpochSeedHook'))
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed NumPy, ``random`` and torch on every device."""
        seed_generators(runner.seed, runner.iter, get_rank())
