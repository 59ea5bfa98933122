"""Bring depth from any source to one scale around the person."""

import torch
from torch import Tensor

MODES = ('metric', 'affine')
#: Scale of metric depth where none is set, in metres.
METRES_PER_UNIT = 0.6
_LARGEST = torch.finfo(torch.float32).max / 4


def normalize_depth(
    depth: Tensor,
    mode: str = 'metric',
    scale: float | None = None,
    center_size: float = 0.4,
    quantile: float = 0.3,
    clip: float = 2.0,
) -> Tensor:
    r"""Centre depth on the person, scale it, and mark what is valid.

    .. math:: d = \operatorname{clip}\left(\frac{z - m}{s}, \pm c\right),
              \qquad m = Q_q(z \text{ in the centre})

    with the quantile :math:`Q_q`. A person is slim and stands before things:
    the median of the centre is often the wall, a lower quantile the person.

    B: batch, H, W: crop size. NaN and infinite depth is invalid. So is metric
    depth <= 0, where no surface can be; affine depth may have any sign. The
    centre is the middle ``center_size`` part of the crop in height and width;
    a crop whose centre is all invalid uses its whole area. Finite for any
    input, on any device, without waiting for the device.

    Args:
        depth: (B, 1, H, W), larger = farther: metres for ``'metric'``, any
            affine depth for ``'affine'``.
        mode: ``'metric'``: s is a length, so size and thickness survive.
            ``'affine'``: s is a multiple of the spread
            :math:`Q_q(|z - m|)` of the centre, so that :math:`a z + b`,
            a > 0, gives the same result for all a and b, negative ones
            included; a negated disparity is such depth, too.
        scale: s in metres (``'metric'``; None: 0.6) or in spreads
            (``'affine'``; None: 4).
        center_size: part of the height and width that counts as the centre,
            in (0, 1].
        quantile: q, in [0, 1]; 0.5 is the median.
        clip: limit c; background and foreground beyond it carry no shape.

    Returns:
        (B, 2, H, W) float32: normalised depth, 0 where invalid; and 1 where
        valid, else 0.

    Example:
        >>> depth = torch.tensor([3., 3., 3.6]).view(1, 1, 1, 3)
        >>> normalize_depth(depth, center_size=1.)[0, 0].round(decimals=3)
        tensor([[0., 0., 1.]])
    """
    if depth.ndim != 4 or depth.shape[1] != 1:
        raise ValueError(
            f'depth must be (B, 1, H, W), got {tuple(depth.shape)}'
        )
    if mode not in MODES:
        raise ValueError(f'mode must be one of {MODES}, got {mode!r}')
    if scale is None:
        scale = METRES_PER_UNIT if mode == 'metric' else 4.0

    depth = depth.float()
    valid = torch.isfinite(depth)
    if mode == 'metric':
        valid &= depth > 0
    else:
        # Differences of the largest numbers of both signs stay finite.
        depth = depth.clamp(-_LARGEST, _LARGEST)
    z = torch.where(valid, depth, 0)
    height, width = depth.shape[2:]
    top = int(height * (1 - center_size) / 2)
    left = int(width * (1 - center_size) / 2)
    central = torch.zeros_like(valid)
    central[..., top : height - top, left : width - left] = True
    central &= valid
    central = torch.where(
        central.flatten(1).any(1).view(-1, 1, 1, 1), central, valid
    )

    middle = masked_quantile(z.flatten(1), central.flatten(1), quantile)
    deviation = z - middle[..., None, None]
    if mode == 'affine':
        spread = masked_quantile(
            deviation.abs().flatten(1), central.flatten(1), quantile
        )[..., None, None]
        # A flat map has no spread: its deviations are 0 and stay so.
        tiny = torch.finfo(torch.float32).tiny
        deviation = deviation / (spread * scale).clamp_min(tiny)
    else:
        deviation = deviation / scale
    deviation = torch.where(valid, deviation.clamp(-clip, clip), 0)
    return torch.cat([deviation, valid.to(deviation.dtype)], 1)


def masked_quantile(values: Tensor, mask: Tensor, quantile: float) -> Tensor:
    """Lower quantile of the marked values of a sample.

    By sorting as many as can lie below it: unlike ``nanmedian`` it is
    deterministic on every device.

    Args:
        values: (B, P).
        mask: bool (B, P).
        quantile: in [0, 1].

    Returns:
        (B, 1); 0 where nothing is marked.
    """
    marked = torch.where(mask, values, torch.inf)
    size = int(values.shape[1])
    # One more than the largest index of all, and one for its rounding.
    num = min(int(quantile * (size - 1)) + 2, size)
    ordered = marked.topk(num, 1, largest=False).values
    count = mask.sum(1, keepdim=True)
    index = (quantile * (count - 1).clamp_min(0)).long()
    found = ordered.gather(1, index)
    return torch.where(count > 0, found, 0)


def metres_per_unit(
    mode: str = 'metric', scale: float | None = None, **settings: float
) -> float | None:
    """Metres of one unit of what :func:`normalize_depth` gives.

    Args:
        mode, scale: as there.
        **settings: the rest of its arguments, which do not matter.

    Returns:
        None for affine depth, which has no unit.

    Example:
        >>> metres_per_unit(), metres_per_unit(mode='affine')
        (0.6, None)
    """
    if mode != 'metric':
        return None
    return METRES_PER_UNIT if scale is None else scale
