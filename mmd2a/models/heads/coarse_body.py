"""The coarse mesh of a body, as tensors for a head."""

import torch
from torch import Tensor

from mmd2a.body_models import SMPLBodyModel, coarsen_mesh


def coarsen_body(
    body_model: SMPLBodyModel, num_vertices: int
) -> tuple[Tensor, Tensor]:
    """Return how a body's coarse mesh leads to its mesh, and what it keeps.

    V: vertices, K: coarse vertices.

    Args:
        body_model: the body.
        num_vertices: K.

    Returns:
        ``up`` (V, K), rows sum to 1, and the kept vertices' indices (K,),
        each a copy: the arrays of :func:`coarsen_mesh` are shared by all.

    Raises:
        ValueError: the body has fewer vertices.

    Example:
        >>> up, ids = coarsen_body(SMPLBodyModel(), 100)
        >>> up.shape[1], ids.shape
        (100, torch.Size([100]))
    """
    mesh = coarsen_mesh(
        body_model.v_template.cpu().numpy(),
        body_model.faces.cpu().numpy(),
        num_vertices,
    )
    return torch.tensor(mesh.up), torch.tensor(mesh.vertex_ids)
