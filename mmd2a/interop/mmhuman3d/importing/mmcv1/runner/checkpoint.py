"""``mmcv.runner.checkpoint``: load weights without running what is in them."""

import logging
import re
from collections.abc import Iterable
from typing import Any

from mmengine.runner import load_state_dict
from torch import nn

from mmd2a.engine.checkpoint_loading import read_checkpoint


def load_checkpoint(
    model: nn.Module,
    filename: str,
    map_location: Any = None,
    strict: bool = False,
    logger: logging.Logger | None = None,
    revise_keys: Iterable[tuple[str, str]] = ((r'^module\.', ''),),
) -> dict:
    """Load weights into a model.

    Args:
        model: takes the weights.
        filename: a file, a URL or ``torchvision://...``.
        map_location: device to load to.
        strict: raise an error for keys that are missing or not expected,
            rather than log them.
        logger: where to log them.
        revise_keys: patterns in names of weights, and what to put there.

    Returns:
        What the file holds.

    Raises:
        UntrustedCheckpointError: if it could run code when it is read.
        RuntimeError: if it holds no weights, or other than strictly expected.
    """
    checkpoint = read_checkpoint(filename, map_location)
    if not isinstance(checkpoint, dict):
        raise RuntimeError(
            f'{filename} holds no weights but a {type(checkpoint).__name__}'
        )
    weights = checkpoint.get('state_dict', checkpoint)
    for pattern, replacement in revise_keys:
        weights = {
            re.sub(pattern, replacement, name): value
            for name, value in weights.items()
        }
    load_state_dict(model, weights, strict, logger)
    return checkpoint
