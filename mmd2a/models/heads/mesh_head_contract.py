"""What a flow head asks of the mesh head beside it, checked when built."""

from typing import Any

import torch
from torch import Tensor, nn

_SEE = (
    'see "Add a part" in CONTRIBUTING.md; a model without flow_head does not '
    'ask for it'
)


def require_coarse_mesh(head: nn.Module, num_vertices: int) -> None:
    """Check that a mesh head tells about its coarse mesh.

    V: vertices of the body, K: coarse vertices.

    Args:
        head: it has to have ``num_coarse_vertices`` = K, ``coarse_ids`` (K,),
            the vertices of the body that they are, and
            ``upsample_sigma(sigma)``, (B, K, D) -> (B, V, D).
        num_vertices: V.

    Raises:
        TypeError: naming everything that it lacks or has of another kind.

    Example:
        >>> require_coarse_mesh(nn.Identity(), 100)
        Traceback (most recent call last):
        TypeError: the mesh head Identity lacks num_coarse_vertices,
        coarse_ids, upsample_sigma, which flow_head needs: ...
    """
    name = type(head).__name__
    lacks = [
        each
        for each in ('num_coarse_vertices', 'coarse_ids', 'upsample_sigma')
        if not hasattr(head, each)
    ]
    if lacks:
        raise TypeError(
            f'the mesh head {name} lacks {", ".join(lacks)}, which flow_head '
            f'needs: {_SEE}'
        )
    wrong = _what_is_wrong(head, num_vertices)
    if wrong is not None:
        raise TypeError(
            f'the mesh head {name} does not fit flow_head: {wrong}; {_SEE}'
        )


def require_free_mesh(head: nn.Module) -> None:
    """Check that the vertices of a mesh head may be moved one by one.

    Raises:
        TypeError: it gives parameters, which a corrected mesh would not fit.

    Example:
        >>> require_free_mesh(nn.Identity())
        Traceback (most recent call last):
        TypeError: refiner moves vertices of a mesh, which parameters of
        Identity would no longer give: ...
    """
    if not hasattr(head, 'upsample'):
        raise TypeError(
            'refiner moves vertices of a mesh, which parameters of '
            f'{type(head).__name__} would no longer give: set '
            "head.type='mmd2a.CoarseMeshHead' or another head that has "
            'upsample(coarse), or refiner=None'
        )


def _what_is_wrong(head: Any, num_vertices: int) -> str | None:
    count, ids = head.num_coarse_vertices, head.coarse_ids
    if not isinstance(count, int) or not 0 < count <= num_vertices:
        return (
            f'num_coarse_vertices is {count!r}, but must be a number from 1 '
            f'to the {num_vertices} vertices of the body'
        )
    if (
        not isinstance(ids, Tensor)
        or ids.is_floating_point()
        or ids.shape != (count,)
        or not 0 <= int(ids.min()) <= int(ids.max()) < num_vertices
    ):
        is_ = tuple(ids.shape) if isinstance(ids, Tensor) else ids
        return (
            f'coarse_ids must be a tensor of {count} whole numbers below '
            f'{num_vertices}, the vertices that the coarse ones are; it is '
            f'{is_!r:.60}'
        )
    if not callable(head.upsample_sigma):
        return 'upsample_sigma must be a method'
    with torch.no_grad():
        carried = head.upsample_sigma(torch.ones(1, count, 3).to(ids.device))
    if tuple(carried.shape) != (1, num_vertices, 3):
        return (
            f'upsample_sigma gives {tuple(carried.shape)} for (1, {count}, 3)'
            f', but must give (1, {num_vertices}, 3)'
        )
    return None
