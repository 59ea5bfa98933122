"""Masks of labelled people, drawn from their meshes."""

from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from mmd2a.geometry import crop_silhouettes


@torch.no_grad()
def draw_silhouettes(
    targets: dict[str, Tensor], faces: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Draw the masks of labelled people as the camera of their crop does.

    Of turned people, the silhouette that ImpHMR's views should show. It is of
    the whole body, whatever stands before it, and of the body alone: hair and
    clothes are not in a label.

    B: batch, V: vertices, F: faces, H, W: crop, (h, w): mask.

    Args:
        targets: what :meth:`MeshObjective.targets` gives, turned or not.
        faces: (F, 3) of the body.
        size: (h, w).

    Returns:
        Masks (B, 1, h, w) in {0, 1} and their weight (B,): that of the body's
        parameters, and 0 where the camera or the place of the root is not
        known or a part of the body is at the camera.

    Example:
        >>> from mmd2a.models.objectives import MeshObjective
        >>> body = MeshObjective().body_model
        >>> targets = dict(
        ...     vertices=body.v_template[None],
        ...     root3d=torch.tensor([[[0, 0, 4.]]]),
        ...     K=torch.tensor([[[80., 0, 32], [0, 80, 32], [0, 0, 1]]]),
        ...     mask=torch.zeros(1, 1, 64, 64), smpl_weight=torch.ones(1),
        ...     keypoints3d_weight=torch.ones(1, 14))
        >>> masks, weight = draw_silhouettes(targets, body.faces, (32, 32))
        >>> masks.shape, weight
        (torch.Size([1, 1, 32, 32]), tensor([1.]))
    """
    weight, vertices = targets['smpl_weight'], targets['vertices']
    # The objective weighs all joints 0 where it does not know the root.
    known = (weight > 0) & (targets['keypoints3d_weight'] > 0).any(-1)
    height, width = targets['mask'].shape[-2:]
    drawn, is_drawn = crop_silhouettes(
        (vertices + targets['root3d'])[known],
        faces,
        targets['K'][known],
        (height, width),
        size,
    )
    masks = vertices.new_zeros(len(vertices), 1, *size)
    masks[known] = drawn[:, None].to(masks.dtype)
    known = known.masked_scatter(known, is_drawn)
    return masks, torch.where(known, weight, 0.0)


def start_drawing(
    targets: dict[str, Tensor], faces: Tensor, size: tuple[int, int]
) -> 'Future[tuple[Tensor, Tensor]]':
    """Draw silhouettes on the CPU while the caller goes on.

    Args:
        targets, faces, size: as of :func:`draw_silhouettes`. The targets must
            not be changed until the result is there.

    Returns:
        Its ``result()`` is what :func:`draw_silhouettes` gives.
    """
    # A thread of its own: one that is kept would be lost in a fork.
    pool = ThreadPoolExecutor(1)
    drawn = pool.submit(draw_silhouettes, targets, faces, size)
    pool.shutdown(wait=False)
    return drawn
