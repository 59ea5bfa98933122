"""A model with its weights and its test pipeline, however it is named."""

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.hub import get_config
from torch import nn

from mmd2a.apis.errors import InputError
from mmd2a.apis.get_model import build_model, get_model, weights_config
from mmd2a.engine.checkpoint_files import CheckpointError
from mmd2a.engine.checkpoint_loading import read_checkpoint
from mmd2a.files import UnusableFileError
from mmd2a.weights import SCHEME, find_weights, read_weights

__all__ = ['load_model', 'names_config']

_CONFIG_ENDINGS = ('.py', '.yml', '.yaml', '.json')


def names_config(model: Any) -> bool:
    """Whether what names a model is a config, which needs weights beside it.

    Example:
        >>> names_config('d2a_hmr_mobilenet-v2'), names_config('a.py')
        (False, True)
    """
    return not isinstance(model, str) or model.endswith(_CONFIG_ENDINGS)


def load_model(
    model: str | Config | Mapping[str, Any],
    weights: str | None = None,
    **changes: Any,
) -> tuple[Config, nn.Module]:
    """Build a model with its weights, in evaluation mode, on the CPU.

    Args:
        model: name of weights that ship (``d2a_hmr_mobilenet-v2``, with or
            without ``mmd2a::``), or a config: its file, ``mmd2a::`` and its
            place below ``configs/``, or the config itself.
        weights: checkpoint file, or ``mmd2a://NAME``; needed with a config,
            and only there.
        **changes: settings of the model, dots as ``__``, see
            :func:`~mmd2a.apis.get_model`.

    Returns:
        The whole config and the model.

    Raises:
        CheckpointError: there are no such weights, or not of this model.
        UnusableFileError: a file cannot be used.
        InputError: a config without weights, or a name with others.
    """
    if not names_config(model):
        assert isinstance(model, str)
        if weights is not None:
            raise InputError(
                f'weights={weights!r} go with a config, but model={model!r} '
                'names weights that ship: leave weights out, or name a config'
            )
        entry, _ = find_weights(model.removeprefix('mmd2a::'))
        if entry.parts:
            get_model(entry.name)  # Says what they are instead.
        cfg, weights = weights_config(entry), entry.address
    else:
        cfg = _read_config(model)
    if weights is None:
        raise InputError(
            'a config alone has no weights: give weights=, a checkpoint or '
            'mmd2a://NAME; or name a model that ships instead of the config'
        )
    state: Any = (
        read_weights(weights)
        if weights.startswith(SCHEME)
        else _read_checkpoint(weights)
    )
    try:
        return cfg, build_model(cfg, state, weights, changes)
    except CheckpointError as error:
        if not weights.startswith(SCHEME):
            raise
        made_with = find_weights(weights)[0].made_with
        raise CheckpointError(
            f'{error}. They were made with {made_with}'
        ) from error


def _read_config(model: str | Config | Mapping[str, Any]) -> Config:
    if isinstance(model, Config):
        return Config(model.to_dict())  # To be changed.
    if not isinstance(model, str):
        return Config(dict(model))
    try:
        return get_config(model) if '::' in model else Config.fromfile(model)
    except Exception as error:  # A config is a program: it fails in any way.
        raise UnusableFileError(
            f'the config cannot be read ({type(error).__name__}: '
            f'{" ".join(str(error).split())[:200]})',
            model,
            'correct the path or the config',
        ) from error


def _read_checkpoint(path: str) -> Any:
    try:
        return read_checkpoint(path, 'cpu')
    except FileNotFoundError as error:
        raise CheckpointError(
            f'there is no checkpoint {path}: correct the path, or name '
            'weights that ship as mmd2a://NAME'
        ) from error
