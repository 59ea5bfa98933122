"""One body for a whole config."""

import copy
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config, ConfigDict

__all__ = ['TAKERS', 'BodyMismatchError', 'share_body']

# Parts that must be of one body. Heads are not here: a model hands them the
# body of its objective.
TAKERS = (
    'D2AHMR',
    'DisplaceLabels',
    'ImaginedViews',
    'MMHuman3DMeshEstimator',
    'ImpHMR',
    'MeshMetric',
    'MeshObjective',
    'MeshVisualizer',
    'PersonCrop',
    'ViewMetric',
)


class BodyMismatchError(ValueError):
    """Parts of a config name different bodies."""


def share_body(cfg: Config) -> None:
    """Give the body of a config, its ``body_model``, to all that need one.

    The model and its objective, the metric, the crop of every pipeline and the
    visualiser are about meshes of one body. It is named once, at the top of
    the config, and entered here in each of them, wherever it stands.

    Args:
        cfg: the config; changed in place. Without a ``body_model`` of its
            own it only has to be of one mind.

    Raises:
        BodyMismatchError: two parts, or a part and the config, name different
            bodies.

    Example:
        >>> cfg = Config(dict(
        ...     body_model=dict(path='SMPL.npz'),
        ...     val_evaluator=dict(type='mmd2a.MeshMetric')))
        >>> share_body(cfg)
        >>> cfg.val_evaluator.body_model.path
        'SMPL.npz'
    """
    takers = list(_find_takers(cfg._cfg_dict, ''))
    shared = cfg.get('body_model')
    if shared is not None:
        takers.insert(0, ('', ConfigDict(body_model=shared)))
    named = [
        (f'{place}.body_model'.lstrip('.'), _spell_out(part.get('body_model')))
        for place, part in takers
        if shared is None or part.get('body_model') is not None
    ]
    for place, body in named[1:]:
        if body != named[0][1]:
            raise BodyMismatchError(
                f'{named[0][0]} is {named[0][1]}, but {place} is {body}: name '
                'the body once, as `body_model = dict(...)` at the top of the '
                'config'
            )
    if shared is not None:
        for _, part in takers[1:]:
            part['body_model'] = copy.deepcopy(shared)


def _spell_out(body: dict | None) -> dict[str, Any]:
    """A config of a body with what goes without saying."""
    settings = {k: v for k, v in (body or {}).items() if v is not None}
    return dict(type='mmd2a.SMPLBodyModel') | settings


def _find_takers(value: Any, place: str) -> Iterator[tuple[str, dict]]:
    """Dotted places of the parts in a config that take its body."""
    if isinstance(value, dict):
        kind = value.get('type')
        name = getattr(kind, '__name__', kind)
        if str(name).removeprefix('mmd2a.') in TAKERS:
            yield place, value
        children: Any = value.items()
    elif isinstance(value, (list, tuple)):
        children = enumerate(value)
    else:
        return
    for key, child in children:
        yield from _find_takers(child, f'{place}.{key}'.lstrip('.'))
