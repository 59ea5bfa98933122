"""L_imag and L_cons: imagined views beside the labels, and each other."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def imagined_losses(
    views: Sequence[dict[str, Tensor]],
    yaws: Sequence[Tensor],
    turned: dict[str, Tensor],
    imagination: Any,
    consistency: Any,
) -> dict[str, Tensor]:
    """Return the terms of views that no camera took.

    B: batch, n: views of each sample.

    Args:
        views: n outputs of a head, centred, each of the whole batch.
        yaws: n angles (B,) that they are seen from, radians.
        turned: labels turned by these angles, joined: (n B, ...).
        imagination: the :class:`MeshObjective` of L_imag; None: off.
        consistency: the :class:`ViewConsistency` of L_cons, over each view
            and the next; None: off.

    Returns:
        ``loss_<name>_imagined`` and ``loss_<name>_consistency``.

    Terms of ImpHMR (Cho et al., CVPR 2023, arXiv:2306.17651).

    Example:
        >>> imagined_losses([], [], {}, None, None)
        {}
    """
    losses = {}
    if imagination is not None:
        for name, value in imagination(joined(views), turned).items():
            losses[f'{name}_imagined'] = value
    if consistency is not None:
        pairs = [
            consistency(views[i], views[i + 1], yaws[i], yaws[i + 1])
            for i in range(len(views) - 1)
        ]
        for name in pairs[0]:
            value = torch.stack([pair[name] for pair in pairs]).mean()
            losses[f'{name}_consistency'] = value
    return losses


def check_num_views(num_views: int, consistency: Any) -> None:
    """Refuse fewer views than are compared.

    Args:
        num_views: n.
        consistency: config of L_cons; None: off.

    Raises:
        ValueError: too few.

    Example:
        >>> check_num_views(1, consistency=None)
    """
    if num_views < 1 + (consistency is not None):
        raise ValueError(
            f'num_views={num_views} is too few: imagining needs one, '
            'consistency compares two'
        )


def joined(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Several batches as one.

    Example:
        >>> joined([dict(a=torch.zeros(2)), dict(a=torch.ones(1))])
        {'a': tensor([0., 0., 1.])}
    """
    return {key: torch.cat([each[key] for each in parts]) for key in parts[0]}
