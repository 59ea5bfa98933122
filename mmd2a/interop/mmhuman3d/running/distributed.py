"""Several ranks for architectures that run their own training step."""

from typing import Any

from torch import nn

from mmd2a.registry import MODEL_WRAPPERS


@MODEL_WRAPPERS.register_module()
class MMHuman3DDistributed(nn.Module):
    """Hand training steps on to an architecture with optimisers of its own.

    The adversarial architectures of MMHuman3D call their submodules, their
    backward passes and their optimisers themselves, and the discriminator
    three times per iteration. PyTorch's wrapper needs one forward and one
    backward pass of the whole. MMHuman3D wraps each submodule for that; here
    nothing is wrapped, so that checkpoints, EMA and attributes of submodules
    are as with one process, and gradients are averaged right before an
    optimiser uses them (:class:`~mmd2a.interop.mmhuman3d.running.optimizers.\
ArchitectureOptimizer`): the same numbers, without overlap of computation and
    communication. Parameters that an iteration does not use need no
    ``find_unused_parameters``.

    Weights are the same on all ranks from the start: MMEngine's runner sends
    those of rank 0 around.

    Args:
        module: a :class:`~mmd2a.interop.mmhuman3d.MMHuman3DEstimator`.
        device_ids: for the signature of PyTorch's wrapper.
        broadcast_buffers: for the signature of PyTorch's wrapper; statistics
            of BatchNorm are brought in line by ``SyncBuffersHook``.

    Example:
        >>> model_wrapper_cfg = dict(type='mmd2a.MMHuman3DDistributed')
    """

    module: Any

    def __init__(
        self,
        module: nn.Module,
        device_ids: Any = None,
        broadcast_buffers: bool = False,
    ) -> None:
        super().__init__()
        self.module = module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model."""
        return self.module(*args, **kwargs)

    def train_step(self, data: Any, optim_wrapper: Any) -> dict:
        """Run the model's training step."""
        return self.module.train_step(data, optim_wrapper)

    def val_step(self, data: Any) -> list:
        """Predict for a batch of the validation set."""
        return self.module.val_step(data)

    def test_step(self, data: Any) -> list:
        """Predict for a batch of the test set."""
        return self.module.test_step(data)
