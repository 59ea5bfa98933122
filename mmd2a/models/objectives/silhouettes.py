"""Masks of labelled people, drawn from their meshes."""

from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from mmd2a.geometry.rasterization import rasterize_silhouette

# A mesh that comes closer to the camera, in metres, is not drawn.
_NEAREST = 0.1


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
    vertices = targets['vertices'] + targets['root3d']
    K = _of_size(targets['K'].to(vertices), targets['mask'].shape[-2:], size)
    known = (
        (targets['smpl_weight'] > 0)
        # The objective weighs all joints 0 where it does not know the root.
        & (targets['keypoints3d_weight'] > 0).any(-1)
        & (K[:, 0, 0] > 0)
        & (vertices[..., 2] > _NEAREST).all(-1)
    )
    masks = vertices.new_zeros(len(vertices), 1, *size)
    drawn = rasterize_silhouette(vertices[known], faces, K[known], size)
    masks[known] = drawn[:, None].to(masks.dtype)
    return masks, torch.where(known, targets['smpl_weight'], 0.0)


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


def _of_size(K: Tensor, crop: torch.Size, size: tuple[int, int]) -> Tensor:
    """Intrinsics (B, 3, 3) of the crop, (H, W), at another size (h, w)."""
    y, x = (new / old for new, old in zip(size, crop))
    # Pixel centres lie at integers: x + 1/2 scales, not x.
    scale = [[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]]
    return torch.tensor(scale).to(K) @ K
