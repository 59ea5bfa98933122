"""Parts of a model that would not be trained, told before it starts."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmd2a.engine.trained_parts import require_every_part_trained


def require_every_part(runner: Runner) -> None:
    """Have a runner refuse to train a model that its optimisers miss part of.

    Whatever constructor made them. Parameters that require no gradient are
    none to train.

    Raises:
        UntrainedPartsError: naming the parts; so does ``train``.
    """
    runner.register_hook(_EveryPart())


class _EveryPart(Hook):
    # Before hooks that begin to work.
    priority = 'HIGHEST'

    def before_train(self, runner: Runner) -> None:
        require_every_part_trained(runner.model, runner.optim_wrapper)
