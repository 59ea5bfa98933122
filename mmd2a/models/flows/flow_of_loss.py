"""The flow that a residual log-likelihood loss learns with."""

from typing import Any

# As an argument's default: a RealNVP whose base fits the loss.
DEFAULT_FLOW = dict(type='mmd2a.RealNVP')


def flow_config(
    flow: dict[str, Any] | None, mode: str, dims: int
) -> dict[str, Any]:
    """Complete the config of the flow of a loss.

    Args:
        flow: config of the flow, whose own values win. :data:`DEFAULT_FLOW`
            itself: a `RealNVP` with a Laplace base for mode 'exact' and the
            published normal one for the others. None: that base alone.
        mode: of :class:`~mmd2a.models.RLELoss`.
        dims: D of the points.

    Example:
        >>> flow_config(DEFAULT_FLOW, 'parity', dims=2)
        {'type': 'mmd2a.RealNVP', 'base': 'gaussian', 'dims': 2}
    """
    if flow is None or flow is DEFAULT_FLOW:
        base = 'laplace' if mode == 'exact' else 'gaussian'
        layers = dict(num_layers=0) if flow is None else {}
        flow = dict(DEFAULT_FLOW, base=base, **layers)
    return dict(flow, dims=flow.get('dims', dims))
