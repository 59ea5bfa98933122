"""Losses of this package in architectures of MMHuman3D."""

import inspect
from typing import Any

from torch import nn

# What these are handed is no prediction beside its label.
_OTHER_INPUTS = ('loss_adv', 'loss_camera', 'loss_smplx_betas_piror')
_INSTEAD = 'use mmd2a.JointLoss or mmd2a.VertexLoss, or one of MMHuman3D'


def check_losses(architecture: nn.Module) -> None:
    """Refuse losses of this package that the architecture cannot call.

    It hands a loss prediction and label and asks for the value of every
    element (``reduction_override='none'``), as :class:`mmd2a.JointLoss` and
    :class:`mmd2a.VertexLoss` give it. What takes more, such as the flow of
    :class:`mmd2a.RLELoss`, would fail in the first step.

    Args:
        architecture: as built; its registrant is looked at, too.

    Raises:
        ValueError: names the setting and what to use.

    Example:
        >>> check_losses(nn.Module())
    """
    for slot, loss in architecture.named_children():
        taken = _arguments_of_ours(loss)
        if taken is None or 'loss' not in slot:
            continue
        if slot in _OTHER_INPUTS:
            raise _refusal(slot, loss, 'it is not handed a label')
        if taken[:2] != ['pred', 'target'] or (
            'reduction_override' not in taken
        ):
            raise _refusal(
                slot,
                loss,
                f'it takes ({", ".join(taken)}), and the architecture hands '
                '(pred, target, reduction_override)',
            )
    registrant = getattr(architecture, 'registrant', None)
    for slot, loss in vars(registrant).items() if registrant else ():
        if slot.endswith('_loss') and _arguments_of_ours(loss) is not None:
            raise _refusal(
                f'registrant.{slot}',
                loss,
                'a registrant hands confidences that it does not take',
            )


def _arguments_of_ours(loss: Any) -> list[str] | None:
    if type(loss).__module__.split('.')[0] != 'mmd2a':
        return None
    return list(inspect.signature(loss.forward).parameters)


def _refusal(slot: str, loss: nn.Module, reason: str) -> ValueError:
    return ValueError(
        f'{slot} cannot be mmd2a.{type(loss).__name__}: {reason}; {_INSTEAD}'
    )
