"""The density of what a mesh head gives: of which points, by which labels."""

from typing import Any

import torch
from torch import Tensor

from mmd2a.models.heads.mesh_head_contract import require_coarse_mesh
from mmd2a.registry import MODELS


def build_mesh_density(
    flow_head: dict[str, Any],
    head: Any,
    in_channels: int,
    num_joints: int,
    num_vertices: int,
) -> Any:
    """Build a flow head of the points of a mesh head.

    In 2-D these are the joints, in 3-D the joints and the coarse mesh.

    Args:
        flow_head: config, such as of :class:`RLEFlowHead`.
        head: the mesh head, see :func:`require_coarse_mesh`.
        in_channels: width of the tokens.
        num_joints: joints of the objective.
        num_vertices: vertices of the body.

    Raises:
        TypeError: the mesh head lacks what is asked of it.

    Example:
        >>> from mmd2a.models.heads import CoarseMeshHead
        >>> head = CoarseMeshHead(8, num_coarse_vertices=100)
        >>> flow = build_mesh_density(
        ...     dict(type='mmd2a.RLEFlowHead'), head, 8, 14, 6907)
        >>> flow.num_points
        114
    """
    require_coarse_mesh(head, num_vertices)
    points = {2: num_joints, 3: num_joints + head.num_coarse_vertices}
    return MODELS.build(
        flow_head,
        default_args=dict(in_channels=in_channels, num_points=points),
    )


def density_loss(
    flow_head: Any,
    head: Any,
    output: dict[str, Tensor],
    targets: dict[str, Tensor],
) -> Tensor:
    """Negative log-likelihood of the labels of a batch.

    Args:
        flow_head: of :func:`build_mesh_density`.
        head: the mesh head.
        output: what :meth:`MeshObjective.centre` gives, with ``sigma``.
        targets: what :meth:`MeshObjective.targets` gives.

    Returns:
        A scalar, nats per point.
    """
    if flow_head.dims == 2:
        return flow_head.loss(
            output['keypoints2d'],
            output['sigma'],
            targets['keypoints2d'],
            targets['keypoints2d_weight'],
        )
    coarse = targets['vertices'][:, head.coarse_ids]
    known = targets['smpl_weight'][:, None].expand(coarse.shape[:2])
    return flow_head.loss(
        torch.cat([output['keypoints3d'], output['coarse_vertices']], 1),
        output['sigma'],
        torch.cat([targets['keypoints3d'], coarse], 1),
        torch.cat([targets['keypoints3d_weight'], known], 1),
    )
