"""Make a file of weights, and its entry in the index."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from mmd2a.engine.checkpoint_files import CheckpointError
from mmd2a.engine.checkpoint_loading import is_body
from mmd2a.files import write_bytes, write_json
from mmd2a.weights.index import (
    WeightsEntry,
    index_content,
    index_path,
    read_index,
)

__all__ = ['to_ship', 'write_weights']


def to_ship(
    model: nn.Module, fresh: nn.Module, parts: Sequence[str] = ()
) -> OrderedDict[str, Tensor]:
    """Take from a model what a file of weights has to hold.

    Weights of two and more dimensions become float16. Those of one (biases,
    scales and statistics of norms, 0.3 % of a model) stay float32: they are
    few, and a variance may be outside what float16 can say. Left out are
    bodies, which come from their own files, and buffers that follow from the
    config.

    Args:
        model: with the weights.
        fresh: built from the same config, not trained.
        parts: take these parts of the model alone; none: everything.

    Returns:
        State dict on the CPU.

    Raises:
        CheckpointError: there is no such part, or a value is not finite, also
            as float16.

    Example:
        >>> state = to_ship(nn.Linear(2, 3), nn.Linear(2, 3))
        >>> state['weight'].dtype, state['bias'].dtype
        (torch.float16, torch.float32)
    """
    bodies = [name for name, part in model.named_modules() if is_body(part)]
    prefixes = tuple(f'{name}.' for name in parts)
    as_built = dict(fresh.named_buffers())
    state = OrderedDict()
    for name, value in model.state_dict().items():
        if name.startswith(tuple(f'{body}.' for body in bodies)):
            continue
        if name in as_built and torch.equal(as_built[name], value):
            continue
        if parts and not name.startswith(prefixes):
            continue
        half = value.dtype == torch.float32 and value.ndim > 1
        kept = value.cpu().to(torch.float16) if half else value.cpu()
        if not torch.isfinite(kept).all():
            raise CheckpointError(
                f'{name} is not finite{" as float16" if half else ""}: '
                'weights to ship come from a training that went well. Use '
                'another checkpoint'
            )
        state[name] = kept.contiguous()
    for part in parts:
        if not any(name.startswith(f'{part}.') for name in state):
            raise CheckpointError(
                f'the model has no part {part} with weights; it has '
                + ', '.join(name for name, _ in model.named_children())
            )
    return state


def write_weights(
    folder: str | Path,
    name: str,
    state: Mapping[str, Tensor],
    papers: Mapping[str, Any],
) -> WeightsEntry:
    """Write a file of weights and enter it in the index of a folder.

    Weights of that name are replaced; others stay as they are.

    Args:
        folder: of the index.
        name: of the weights.
        state: what :func:`to_ship` gave.
        papers: the fields of :class:`WeightsEntry` that the file does not
            tell: config, licence, training data, recipe and so on.

    Returns:
        The new entry.

    Raises:
        UnusableFileError: licence, training data or recipe are missing;
            nothing is written then.
        OSError: the folder cannot be written.
    """
    data = save(dict(state))
    entry = WeightsEntry(
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        num_parameters=sum(value.numel() for value in state.values()),
        **papers,
    )
    entries = read_index(folder) | {name: entry}
    write_bytes(Path(folder) / entry.file, data)
    write_json(index_path(folder), index_content(entries), indent=1)
    return entry
