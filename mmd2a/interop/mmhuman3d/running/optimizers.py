"""Several optimisers, stepped by the architecture itself."""

from collections.abc import Iterable
from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.model import is_model_wrapper
from mmengine.optim import (
    AmpOptimWrapper,
    DefaultOptimWrapperConstructor,
    OptimWrapper,
    OptimWrapperDict,
)
from torch import Tensor, nn

from mmd2a.engine.trained_parts import require_every_part_trained
from mmd2a.registry import OPTIM_WRAPPER_CONSTRUCTORS

_FIX = (
    'Give each an optimiser, optimizer.{first}=dict(type=..., lr=...), or say '
    'that it is not to be trained, optimizer.{first}=None'
)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class PerModuleOptimWrapperConstructor:
    """Build an optimiser for each of some submodules.

    What ``optimizer=dict(backbone=dict(...), head=dict(...))`` means to
    MMHuman3D. There a submodule without an entry stays as it is, and nobody
    is told; here that is said by an entry of None, which freezes it.

    Args:
        optim_wrapper_cfg: submodule -> settings of its ``OptimWrapper``;
            None for one that is not to be trained, or that is not there.
        paramwise_cfg: not for all at once; give one per submodule.

    Example:
        >>> model = nn.ModuleDict(dict(body=nn.Linear(1, 1)))
        >>> build = PerModuleOptimWrapperConstructor(dict(
        ...     body=dict(optimizer=dict(type='SGD', lr=0.1))))
        >>> build(model).get_lr()
        {'body.lr': [0.1]}
    """

    def __init__(
        self,
        optim_wrapper_cfg: dict[str, Any],
        paramwise_cfg: dict | None = None,
    ) -> None:
        if paramwise_cfg is not None:
            raise ValueError(
                'paramwise_cfg belongs into the settings of a '
                'submodule: dict(backbone=dict(optimizer=..., '
                'paramwise_cfg=...))'
            )
        self.settings = optim_wrapper_cfg

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """Build the optimisers.

        Raises:
            KeyError: the model has no submodule of that name.
            UntrainedPartsError: an optimiser reaches not every part with
                parameters to train.
        """
        unwrapped: Any = model.module if is_model_wrapper(model) else model
        children = dict(unwrapped.named_children())
        settings_of = {
            name: settings
            for name, settings in self.settings.items()
            if settings is not None
        }
        missing = sorted(set(settings_of) - set(children))
        if missing:
            raise KeyError(
                f'there are optimisers for {", ".join(missing)}, '
                'but the architecture has only '
                f'{", ".join(children)}. Leave one out with '
                f'optimizer.{missing[0]}=None'
            )
        for name in self.settings.keys() - settings_of.keys():
            if name in children:
                children[name].requires_grad_(False)
        wrappers = {}
        for name, settings in settings_of.items():
            settings = dict(settings)
            paramwise = settings.pop('paramwise_cfg', None)
            constructor = DefaultOptimWrapperConstructor(settings, paramwise)
            wrappers[name] = constructor(children[name])
        built = OptimWrapperDict(**wrappers)
        require_every_part_trained(unwrapped, built, _FIX)
        return built


class ArchitectureOptimizer:
    """What an architecture's ``train_step`` sees of an optimiser.

    It zeroes gradients and steps as if it had a ``torch.optim.Optimizer``.
    Between the two, gradients are averaged over the ranks, as no wrapper of
    the whole model can: the architecture runs its submodules itself, one of
    them several times in an iteration.

    Clearing sets gradients to None, as torch does since 2.0: a discriminator
    rests while the generator steps. With earlier versions of torch MMHuman3D
    moves it a second time then, by its momentum.

    Args:
        wrapper: the optimiser in its wrapper, which may clip gradients.

    Raises:
        NotImplementedError: the wrapper scales losses.

    Example:
        >>> layer = nn.Linear(1, 1)
        >>> optimizer = ArchitectureOptimizer(OptimWrapper(
        ...     torch.optim.SGD(layer.parameters(), lr=0.1)))
        >>> layer(torch.ones(1, 1)).sum().backward()
        >>> optimizer.step()
        >>> optimizer.stepped
        True
    """

    def __init__(self, wrapper: OptimWrapper) -> None:
        if isinstance(wrapper, AmpOptimWrapper):
            raise NotImplementedError(
                'an architecture that steps its optimisers itself computes '
                'its gradients itself, without the scaled loss that float16 '
                'needs: train without --amp'
            )
        self.wrapper = wrapper
        self.stepped = False

    @property
    def param_groups(self) -> list[dict]:
        """Parameter groups of the optimiser."""
        return self.wrapper.param_groups

    def zero_grad(self, **kwargs: Any) -> None:
        """Clear the gradients."""
        self.wrapper.zero_grad(**kwargs)

    def step(self) -> None:
        """Average the gradients over the ranks and update the weights."""
        average_gradients(
            param for group in self.param_groups for param in group['params']
        )
        self.wrapper.step()
        self.stepped = True


def average_gradients(params: Iterable[nn.Parameter]) -> None:
    """Give every rank the mean gradient, in place.

    A parameter that was not used on one rank counts as zero there; one that
    was used nowhere, or is frozen, keeps no gradient, so that optimisers pass
    over it.

    Args:
        params: the same parameters in the same order on every rank.

    Example:
        >>> average_gradients(nn.Linear(1, 1).parameters())
    """
    if get_world_size() == 1:
        return
    by_kind: dict[tuple, list[nn.Parameter]] = {}
    for param in params:
        if param.requires_grad:
            by_kind.setdefault((param.dtype, param.device), []).append(param)
    for group in by_kind.values():
        _average(group)


def _average(params: list[nn.Parameter]) -> None:
    """One exchange: all gradients, and which of them there are."""
    flat = [
        torch.zeros_like(param) if param.grad is None else param.grad
        for param in params
    ]
    used = params[0].new_tensor(
        [float(param.grad is not None) for param in params]
    )
    joined = torch.cat([grad.reshape(-1) for grad in flat] + [used])
    all_reduce(joined, op='mean')
    *means, used = joined.split(
        [param.numel() for param in params] + [len(params)]
    )
    for param, mean, share in zip(params, means, used.tolist()):
        if share > 0:
            param.grad = _shaped(mean, param)


def _shaped(flat: Tensor, param: Tensor) -> Tensor:
    # A copy, lest one small gradient keep all of them in memory.
    return flat.reshape(param.shape).clone()
