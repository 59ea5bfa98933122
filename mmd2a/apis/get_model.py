"""A model by its name, with its weights."""

from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from mmd2a.body_models import share_body
from mmd2a.engine.checkpoint_files import CheckpointError
from mmd2a.engine.checkpoint_loading import load_every_parameter
from mmd2a.engine.narrow_imports import with_parts_imported
from mmd2a.registry import MODELS
from mmd2a.weights import WeightsEntry, find_weights, read_weights

__all__ = ['build_model', 'get_model', 'weights_config']

_PACKAGE = 'mmd2a::'
_CONFIGS = Path(__file__).parents[1] / '.mim' / 'configs'


def get_model(name: str, pretrained: bool = True, **changes: Any) -> nn.Module:
    """Build a model that ships, with its weights, ready to predict.

    Like ``mmengine.hub.get_model``, which takes configs instead
    (``mmd2a::d2a_hmr/d2a_hmr_hrnet.py``) and loads what fits; here every
    weight has to. No network is needed.

    Args:
        name: ``mmd2a::NAME``, a name of the index of weights
            (``mmd2a.weights.read_index``).
        pretrained: load the weights; otherwise build the model alone.
        **changes: settings of the model, by their names in the config, dots
            written as ``__``: ``keep_mask=True``, ``encoder__depth=1``.

    Returns:
        The model, on the CPU, in evaluation mode if it has its weights.

    Raises:
        CheckpointError: there are no weights of that name, they are not
            those of the index, they are initial weights, or they are not of
            the changed model.

    Example:
        >>> get_model('mmd2a::nothing')
        Traceback (most recent call last):
        mmd2a.engine.checkpoint_files.CheckpointError: there are no weights \
mmd2a://nothing...
    """
    entry, _ = find_weights(name.removeprefix(_PACKAGE))
    if pretrained and entry.parts:
        raise CheckpointError(
            f'{entry.address} are initial weights: they have only '
            f'{", ".join(entry.parts)}. Name them in init_cfg or load_from of '
            'a config, or ask for pretrained=False'
        )
    return build_model(
        weights_config(entry),
        read_weights(entry.name) if pretrained else None,
        entry.address,
        changes,
    )


def build_model(
    cfg: Config, checkpoint: Any, name: str, changes: dict[str, Any]
) -> nn.Module:
    """Build the model of a config, with all of its weights.

    Args:
        cfg: the whole config; changed in place.
        checkpoint: with every parameter of the model; None: as initialised.
        name: what to call it in an error.
        changes: settings of the model, dots written as ``__``.

    Returns:
        The model, on the CPU, in evaluation mode if it has its weights.

    Raises:
        CheckpointError: it is not of this model.
    """
    cfg.merge_from_dict(
        {
            f'model.{key.replace("__", ".")}': value
            for key, value in changes.items()
        }
    )
    share_body(cfg)
    with DefaultScope.overwrite_default_scope(
        cfg.get('default_scope', 'mmd2a')
    ):
        model = MODELS.build(with_parts_imported(cfg.model))
    if checkpoint is not None:
        load_every_parameter(model, checkpoint, name)
        # A Runner would initialise it anew.
        model._is_init = True
        model.eval()
    return model


def weights_config(entry: WeightsEntry) -> Config:
    """The config that weights were made with, changes included.

    Args:
        entry: of the index, see :func:`mmd2a.weights.find_weights`.
    """
    # What `mmengine.hub.get_config` finds as well, which first looks through
    # all that is installed.
    cfg = Config.fromfile(_CONFIGS / entry.config)
    cfg.merge_from_dict(entry.cfg_options)
    return cfg
