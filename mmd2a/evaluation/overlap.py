"""How far two masks are one."""

from torch import Tensor

__all__ = ['mask_iou']


def mask_iou(pred: Tensor, target: Tensor) -> Tensor:
    r"""Share of two masks that both cover, of what either covers.

    .. math:: |P \cap T|\, /\, |P \cup T|

    B: batch, (h, w): masks.

    Args:
        pred, target: (B, h, w), bool.

    Returns:
        (B,), float64; NaN where both are empty.

    Example:
        >>> import torch
        >>> pred = torch.tensor([[[True, True, False]]])
        >>> mask_iou(pred, pred.flip(-1))
        tensor([0.3333], dtype=torch.float64)
    """
    both = (pred & target).sum((1, 2)).double()
    return both / (pred | target).sum((1, 2))
