"""``mmcv.parallel``'s wrappers: models that take batches with containers."""

from collections.abc import Sequence
from typing import Any, NoReturn

from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mmd2a.interop.mmhuman3d.importing.mmcv1.parallel.registry import (
    MODULE_WRAPPERS,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.parallel.scatter_gather import (
    Device,
    scatter_kwargs,
)
from mmd2a.interop.mmhuman3d.importing.mmcv1.runner.retired import refuse


@MODULE_WRAPPERS.register_module()
class MMDataParallel(nn.Module):
    """A model on one device, which batches are unpacked and moved to.

    Args:
        module: the model, on that device already.
        device_ids: the device; None for where the parameters are.
        dim: of no meaning for one device.

    Example:
        >>> model = MMDataParallel(torch.nn.Linear(2, 1))
        >>> model(torch.zeros(4, 2)).shape
        torch.Size([4, 1])
    """

    def __init__(
        self,
        module: nn.Module,
        device_ids: Sequence[Device] | None = None,
        dim: int = 0,
    ) -> None:
        super().__init__()
        self.module = module
        self.device_ids = list(device_ids) if device_ids else [-1]
        self.dim = dim

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the model returns."""
        return self._call(self.module, inputs, kwargs)

    def train_step(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the model's ``train_step`` returns."""
        return self._call(self.module.train_step, inputs, kwargs)

    def val_step(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the model's ``val_step`` returns."""
        return self._call(self.module.val_step, inputs, kwargs)

    def _call(self, function: Any, inputs: tuple, kwargs: dict) -> Any:
        args, named = scatter_kwargs(inputs, kwargs, self.device_ids)
        return function(*args[0], **named[0])


@MODULE_WRAPPERS.register_module()
class MMDistributedDataParallel(DistributedDataParallel):
    """torch's, for batches with containers; for tests rather than training.

    Training steps are MMEngine's business: its wrapper of the same name
    synchronises gradients of a step.
    """

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the model returns."""
        device: Device = self.device_ids[0] if self.device_ids else -1
        args, named = scatter_kwargs(inputs, kwargs, [device])
        return super().forward(*args[0], **named[0])

    def train_step(self, *inputs: Any, **kwargs: Any) -> NoReturn:
        """Was a training step.

        Raises:
            NotImplementedError: always.
        """
        refuse('MMDistributedDataParallel.train_step')

    def val_step(self, *inputs: Any, **kwargs: Any) -> NoReturn:
        """Was a validation step.

        Raises:
            NotImplementedError: always.
        """
        refuse('MMDistributedDataParallel.val_step')
