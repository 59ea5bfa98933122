"""``init_cfg=dict(type='Pretrained', ...)`` that cannot miss its target."""

from typing import Any

import torch
from mmengine.model import PretrainedInit, update_init_info
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner.checkpoint import CheckpointLoader, load_state_dict
from torch import Tensor, nn

from mmd2a.engine.checkpoint_loading import CheckpointError, checkpoint_weights

__all__ = ['require_pretrained_weights']


class _MatchingPretrainedInit(PretrainedInit):
    """MMEngine's initialiser, which refuses a checkpoint without a match.

    MMEngine's logs what does not fit, and for a checkpoint of which nothing
    does that is all: the training starts from random weights.
    """

    def __call__(self, module: nn.Module) -> None:
        owner = type(module).__name__
        checkpoint = CheckpointLoader.load_checkpoint(
            self.checkpoint, map_location=self.map_location, logger='current'
        )
        weights = checkpoint_weights(checkpoint, self.checkpoint)
        found = weights if self.prefix is None else self._part(weights, owner)
        own = {k: v.clone() for k, v in module.state_dict().items()}
        load_state_dict(module, found, strict=False, logger='current')
        # Modules may rename what older versions of them have written, so
        # that a name which is not theirs is no proof.
        if not any(_fits(found.get(k), v) for k, v in own.items()) and all(
            torch.equal(value, own[key])
            for key, value in module.state_dict().items()
        ):
            raise CheckpointError(
                f'init_cfg of {owner}: no weight of {self.checkpoint} fits. '
                f'It has {_first(found)}, {owner} has {_first(own)}. Check '
                'the checkpoint, or name the part of it that holds them, '
                "such as prefix='backbone.'"
            )

        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=self._get_init_info())

    def _part(self, weights: dict, owner: str) -> dict:
        """The weights that begin with the prefix, without it."""
        prefix = f'{self.prefix.rstrip(".")}.'
        found = {
            key.removeprefix(prefix): value
            for key, value in weights.items()
            if key.startswith(prefix)
        }
        if not found:
            tops = list(dict.fromkeys(k.split('.')[0] + '.' for k in weights))
            raise CheckpointError(
                f'init_cfg of {owner}: no weight of {self.checkpoint} begins '
                f'with prefix={self.prefix!r}. They begin with '
                f'{", ".join(tops[:8])}: name one of these, or leave prefix '
                'out'
            )
        return found


def require_pretrained_weights() -> None:
    """Have ``init_cfg`` refuse a checkpoint of which no weight fits.

    Replaces MMEngine's ``Pretrained`` and ``PretrainedInit`` in its registry;
    may be called any number of times. What fits in part is loaded as before.

    Example:
        >>> require_pretrained_weights()
    """
    for name in ('Pretrained', 'PretrainedInit'):
        if name in WEIGHT_INITIALIZERS.module_dict:
            WEIGHT_INITIALIZERS.register_module(
                name, force=True, module=_MatchingPretrainedInit
            )


def _fits(value: Any, target: Tensor) -> bool:
    return isinstance(value, Tensor) and value.shape == target.shape


def _first(weights: dict) -> str:
    return ', '.join(list(weights)[:3]) or 'none'
