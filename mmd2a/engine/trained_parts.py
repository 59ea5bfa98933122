"""Find parts of a model that no optimiser reaches."""

from typing import Any

from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapperDict
from torch import nn

_FIX = (
    'Add them to an optimiser of `optim_wrapper`, or freeze what is to stay '
    'as it is'
)


class UntrainedPartsError(ValueError):
    """A part of the model would stay as it is while the rest learns."""


def untrained_parts(model: nn.Module, optim_wrapper: Any) -> dict[str, int]:
    """Name the parts with gradients that an optimiser never moves.

    Args:
        model: the model, wrapped for several processes or not.
        optim_wrapper: an ``OptimWrapper`` or several in an
            ``OptimWrapperDict``.

    Returns:
        Part -> how many of its parameters no optimiser has. A part is the
        largest submodule of which that is true of all parameters that
        require a gradient.

    Example:
        >>> import torch
        >>> from mmengine.optim import OptimWrapper
        >>> model = nn.ModuleDict(dict(a=nn.Linear(1, 1), b=nn.Linear(1, 1)))
        >>> sgd = torch.optim.SGD(model['a'].parameters(), lr=1.)
        >>> untrained_parts(model, OptimWrapper(sgd))
        {'b': 2}
    """
    wrappers = (
        optim_wrapper.values()
        if isinstance(optim_wrapper, OptimWrapperDict)
        else [optim_wrapper]
    )
    reached = {
        id(parameter)
        for wrapper in wrappers
        for group in wrapper.param_groups
        for parameter in group['params']
    }
    unwrapped: Any = model.module if is_model_wrapper(model) else model
    found: dict[str, int] = {}
    _search(unwrapped, '', reached, found)
    return found


def require_every_part_trained(
    model: nn.Module, optim_wrapper: Any, fix: str = _FIX
) -> None:
    """Refuse a training in which a part would silently stay as it is.

    Args:
        model, optim_wrapper: see :func:`untrained_parts`.
        fix: what a user can do; ``{first}`` stands for the first of the
            parts.

    Raises:
        UntrainedPartsError: there is such a part; all are named.
    """
    parts = untrained_parts(model, optim_wrapper)
    if parts:
        names = ', '.join(
            f'{name} ({number} parameters)' for name, number in parts.items()
        )
        raise UntrainedPartsError(
            f'no optimiser reaches {names}: they would never change. '
            + fix.format(first=next(iter(parts)).partition('.')[0])
        )


def _search(
    module: nn.Module, name: str, reached: set[int], found: dict[str, int]
) -> None:
    trainable = {id(p) for p in module.parameters() if p.requires_grad}
    missed = trainable - reached
    if not missed:
        return
    if name and missed == trainable:
        found[name] = len(missed)
        return
    prefix = f'{name}.' if name else ''
    for key, parameter in module.named_parameters(recurse=False):
        if id(parameter) in missed:
            found[prefix + key] = 1
    for key, child in module.named_children():
        _search(child, prefix + key, reached, found)
