"""What a model tells of people as seen from several angles."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from mmd2a.models.fields.feature_field import Field

# Pictures, people times angles, that are imagined at once: it bounds memory.
_AT_ONCE = 64
_TOLD = ('vertices', 'keypoints3d', 'mask')


def check_views(views: Sequence[float]) -> tuple[float, ...]:
    """Return angles of view, degrees, after a look at whether they are some.

    Raises:
        ValueError: an angle that is not finite, or is there twice.

    Example:
        >>> check_views([0, 90])
        (0.0, 90.0)
    """
    degrees = tuple(float(view) for view in views)
    if not all(math.isfinite(view) for view in degrees):
        raise ValueError(f'views={degrees} must be finite angles in degrees')
    if len({view % 360 for view in degrees}) < len(degrees):
        raise ValueError(
            f'views={degrees} names a direction twice: angles are degrees, '
            '360 of them a whole turn'
        )
    return degrees


def imagined_views(
    imagine: Callable[[dict[str, Any], Tensor], dict[str, Tensor]],
    output: dict[str, Any],
    degrees: Sequence[float],
) -> dict[str, Tensor]:
    """See the people of an output from several angles, some at a time.

    B: batch, N: angles, V: vertices, J: joints, (h, w): mask.

    Args:
        imagine: :meth:`ImpHMR.imagine`.
        output: what the network gave of B people.
        degrees: N angles φ.

    Returns:
        ``views_yaw`` (B, N), radians; ``views_vertices`` (B, N, V, 3) and
        ``views_keypoints3d`` (B, N, J, 3), relative to the root, in the axes
        of the camera of each view; ``views_mask`` (B, N, 1, h, w),
        probability, of a model with a decoder.
    """
    camera = output['camera']
    batch = len(camera)
    yaws = torch.tensor(degrees, device=camera.device).deg2rad().to(camera)
    parts: dict[str, list[Tensor]] = {}
    for some in yaws.split(max(1, _AT_ONCE // batch)):
        of_all = dict(
            camera=camera.repeat_interleave(len(some), 0),
            field=_of_views(output['field'], len(some)),
        )
        seen = imagine(of_all, some.repeat(batch))
        for name in _TOLD:
            if name in seen:
                part = seen[name].unflatten(0, (batch, -1))
                parts.setdefault(f'views_{name}', []).append(part)
    fields = {name: torch.cat(each, 1) for name, each in parts.items()}
    if 'views_mask' in fields:
        fields['views_mask'] = fields['views_mask'].sigmoid()
    return dict(fields, views_yaw=yaws.expand(batch, -1))


def _of_views(field: Field, views: int) -> Field:
    """The field of B people, asked by B times as many as there are views.

    The rays of several views are more rays through the field of one person:
    what the image gave is not repeated.
    """

    def ask(points: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        density, features = field(
            points.unflatten(0, (-1, views)),
            directions.unflatten(0, (-1, views)),
        )
        return density.flatten(0, 1), features.flatten(0, 1)

    return ask
