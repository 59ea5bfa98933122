"""``mmcv.runner.checkpoint``: weights, without running what is in them."""

import io
import logging
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmengine.runner import get_state_dict, load_state_dict, weights_to_cpu
from torch import nn
from torch.optim import Optimizer

from mmd2a.engine.checkpoint_loading import read_checkpoint
from mmd2a.engine.plain_values import make_plain
from mmd2a.files import write_bytes
from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in

__getattr__ = found_in(__name__, 'mmengine.runner.checkpoint')


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


def save_checkpoint(
    model: nn.Module,
    filename: str,
    optimizer: Optimizer | Mapping[str, Optimizer] | None = None,
    meta: dict | None = None,
    file_client_args: dict | None = None,
) -> None:
    """Write weights, and the state of an optimiser, to a file.

    Not MMEngine's function of that name, which takes what is to be written.
    The file is there whole or not at all.

    Args:
        model: its weights are written; of a wrapper those of what it wraps.
        filename: the file; its folder is made.
        optimizer: one, or several by name.
        meta: written beside the weights, with the time.
        file_client_args: as in mmcv 1.x; other places than a file are
            refused.

    Raises:
        TypeError: ``meta`` is no dict.
        NotImplementedError: the file would be written elsewhere.
    """
    if meta is not None and not isinstance(meta, dict):
        raise TypeError(
            f'meta must be a dict or None, not {type(meta).__name__}'
        )
    if (file_client_args or {}).get('backend', 'disk') != 'disk':
        raise NotImplementedError(
            f'save_checkpoint writes to a disk, not to {file_client_args}'
        )
    bare = model.module if is_model_wrapper(model) else model
    checkpoint: dict[str, Any] = dict(
        meta={**(meta or {}), 'time': time.asctime()},
        state_dict=weights_to_cpu(get_state_dict(bare)),
    )
    if isinstance(optimizer, Mapping):
        checkpoint['optimizer'] = {
            name: each.state_dict() for name, each in optimizer.items()
        }
    elif optimizer is not None:
        checkpoint['optimizer'] = optimizer.state_dict()
    make_plain(checkpoint)
    content = io.BytesIO()
    torch.save(checkpoint, content)
    write_bytes(filename, content.getvalue())
