"""Read weights that ship."""

import hashlib
from collections import OrderedDict
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from mmd2a.engine.checkpoint_files import CheckpointError, damaged
from mmd2a.files import read_bytes
from mmd2a.weights.index import find_weights

__all__ = ['read_weights']

_FIX = 'Install the package again, or fetch the file anew'


def read_weights(address: str, map_location: Any = None) -> dict[str, Any]:
    """Read weights by their name, as a checkpoint.

    Files hold weights as float16; they come as float32. The digest of the
    file is compared with the index before anything is made of it.

    Args:
        address: ``mmd2a://NAME``.
        map_location: device to read to: ``torch.device``, its name, or
            anything else for the CPU.

    Returns:
        ``dict(state_dict=..., meta=...)``, like a checkpoint of a training.
        ``meta`` names weights, digest, licence and config.

    Raises:
        CheckpointError: there are none of that name, or the file is not the
            one that the index speaks of.
        UnusableFileError: there is no file, or it cannot be read.
    """
    entry, path = find_weights(address)
    data = read_bytes(path)
    digest = hashlib.sha256(data).hexdigest()
    if digest != entry.sha256:
        raise CheckpointError(
            f'{path} was refused: its sha256 is {digest[:12]}..., but the '
            f'index says {entry.sha256[:12]}... for {entry.address}. {_FIX}'
        )
    try:
        tensors = load(data)
    except SafetensorError as error:
        raise damaged(path, str(error)) from error
    device = (
        map_location
        if isinstance(map_location, (str, torch.device))
        else 'cpu'
    )
    state = OrderedDict(
        (name, _full_precision(tensor).to(device))
        for name, tensor in sorted(tensors.items())
    )
    return dict(
        state_dict=state,
        meta=dict(
            weights=entry.name,
            sha256=entry.sha256,
            licence=entry.licence,
            config=entry.config,
        ),
    )


def _full_precision(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype == torch.float16 else tensor
