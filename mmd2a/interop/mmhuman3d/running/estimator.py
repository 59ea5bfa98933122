"""Architectures of MMHuman3D as models of MMEngine."""

import importlib.util
from typing import Any

from mmengine.device import get_device
from mmengine.model import BaseModel, revert_sync_batchnorm
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor

from mmd2a.interop.mmhuman3d.importing.torch_without_gpu import cuda_means_here
from mmd2a.interop.mmhuman3d.running.losses import check_losses
from mmd2a.interop.mmhuman3d.running.missing_files import naming_the_fix
from mmd2a.interop.mmhuman3d.running.optimizers import ArchitectureOptimizer
from mmd2a.registry import MODELS

# What makes up a module; the estimator has these in common with its
# architecture.
_PARTS = ('_parameters', '_buffers', '_non_persistent_buffers_set', '_modules')


@MODELS.register_module()
class MMHuman3DEstimator(BaseModel):
    """Train and evaluate an architecture of MMHuman3D under MMEngine.

    The architecture itself computes, losses and adversarial or registration
    steps included. The estimator is made of the architecture's own
    submodules: its state dict has the architecture's keys without a prefix,
    as published checkpoints do, and ``model.backbone`` is its backbone.

    With one optimiser, training is MMEngine's usual way and ``DistributedData\
Parallel`` does for several ranks. With an optimiser per submodule
    (:class:`PerModuleOptimWrapperConstructor`) the architecture's
    ``train_step`` steps them itself; for several ranks that takes
    ``model_wrapper_cfg=dict(type='mmd2a.MMHuman3DDistributed')``.

    SPIN's fits of a training set are read by the architecture from
    ``data/static_fits`` and, as in MMHuman3D, belong to a process: they are
    in no checkpoint, and a resumed training starts from the files again.

    Args:
        architecture: settings of the architecture, as ``model`` in a config
            of MMHuman3D; types of any MM package as ``package.Name``.
        data_preprocessor: how batches get to the device; by default as they
            are.

    Raises:
        FileNotFoundError: a file that the architecture reads is missing.
        ValueError: the architecture cannot call a loss of this package.

    Example:
        >>> model = dict(type='mmd2a.MMHuman3DEstimator',
        ...              architecture=dict(type='ImageBodyModelEstimator'))
    """

    architecture: Any

    def __init__(
        self,
        architecture: dict[str, Any],
        data_preprocessor: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        from mmhuman3d.models.architectures.builder import build_architecture

        with naming_the_fix('model'):
            built = build_architecture(architecture)
        check_losses(built)
        if get_device() == 'cpu':
            # PyTorch has synchronised statistics on accelerators only.
            built = revert_sync_batchnorm(built)
        built.data_preprocessor = self.data_preprocessor
        for part in _PARTS:
            self.__dict__[part] = getattr(built, part)
        # Past nn.Module, which would register it as a submodule.
        self.__dict__['architecture'] = built

    def init_weights(self) -> None:
        """Initialise as the architecture's ``init_cfg`` say."""
        self.architecture.init_weights()

    def train(self, mode: bool = True) -> 'MMHuman3DEstimator':
        """Switch between training and evaluation."""
        super().train(mode)
        self.architecture.train(mode)
        return self

    def forward(self, mode: str = 'tensor', **data: Any) -> Any:
        """Compute losses or predictions of a batch.

        Args:
            mode: ``loss`` for the dict of losses that training adds up;
                ``tensor`` for what the architecture's ``forward_test``
                returns; ``predict`` for a list of that one dict, as arrays
                on the CPU, which is what datasets of MMHuman3D evaluate.
            **data: the batch, with the names the architecture gives them.

        Raises:
            NotImplementedError: losses of an architecture that trains by
                steps only.
        """
        if mode == 'loss':
            return self._losses(data)
        with cuda_means_here():
            outputs = self.architecture.forward_test(**data)
        if mode == 'tensor':
            return outputs
        if mode == 'predict':
            return [{key: _to_array(value) for key, value in outputs.items()}]
        raise ValueError(
            f'mode is {mode!r}; it must be "loss", "predict" or "tensor"'
        )

    def train_step(self, data: Any, optim_wrapper: OptimWrapper) -> dict:
        """Update the weights once.

        Args:
            data: a batch.
            optim_wrapper: an ``OptimWrapperDict`` for architectures that step
                their optimisers themselves.

        Returns:
            Losses, ``loss`` first.

        Raises:
            RuntimeError: the architecture stepped none of its optimisers.
        """
        if not isinstance(optim_wrapper, OptimWrapperDict):
            return super().train_step(data, optim_wrapper)
        _check_renderer(self.architecture)
        data = self.data_preprocessor(data, training=True)
        optimizers = {
            name: ArchitectureOptimizer(wrapper)
            for name, wrapper in optim_wrapper.items()
        }
        with cuda_means_here():
            outputs = self.architecture.train_step(data, optimizers)
        if not any(optimizer.stepped for optimizer in optimizers.values()):
            raise RuntimeError(
                f'{type(self.architecture).__name__}.train_step stepped none '
                f'of the optimisers {", ".join(optimizers)}: give the config '
                'one for the whole model, optimizer=dict(type=...)'
            )
        log = dict(outputs['log_vars'])
        return dict(loss=log.pop('loss', outputs['loss']), **log)

    def _losses(self, data: dict[str, Any]) -> dict[str, Tensor]:
        architecture = self.architecture
        _check_renderer(architecture)
        if _inherits_train_step(architecture):
            with cuda_means_here():
                return architecture.forward_train(**data)
        if getattr(architecture, 'disc', None) is not None:
            raise NotImplementedError(
                'losses of an adversarial architecture come from its steps: '
                'train it with an optimiser per module, optimizer=dict('
                'backbone=..., head=..., disc=...)'
            )
        # Its `train_step` computes the losses and goes on to the backward
        # pass. It is left where it adds them up.
        architecture.__dict__['_parse_losses'] = _leave_with_losses
        try:
            with cuda_means_here():
                architecture.train_step(data, {})
        except _Losses as result:
            return result.losses
        finally:
            del architecture.__dict__['_parse_losses']
        raise NotImplementedError(
            f'{type(architecture).__name__}.train_step does not add up its '
            'losses with `_parse_losses`: train it with an optimiser per '
            'module'
        )


class _Losses(Exception):
    """The losses of an architecture, on their way out."""

    def __init__(self, losses: dict[str, Tensor]) -> None:
        self.losses = losses


def _leave_with_losses(losses: dict[str, Tensor]) -> None:
    raise _Losses(losses)


def _inherits_train_step(architecture: Any) -> bool:
    from mmhuman3d.models.architectures.base_architecture import (
        BaseArchitecture,
    )

    return type(architecture).train_step is BaseArchitecture.train_step


def _check_renderer(architecture: Any) -> None:
    if getattr(architecture, 'loss_segm_mask', None) is None:
        return
    if importlib.util.find_spec('pytorch3d') is None:
        raise NotImplementedError(
            'loss_segm_mask compares with body parts that pytorch3d renders, '
            'which is not installed: install it, or train without that loss, '
            '--cfg-options model.loss_segm_mask=None'
        )


def _to_array(value: Any) -> Any:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else value
