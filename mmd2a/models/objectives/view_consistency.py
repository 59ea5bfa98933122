"""Whoever is imagined from two sides is one person."""

from typing import Any

import torch
from torch import Tensor, nn

from mmd2a.geometry import view_rotation
from mmd2a.models.losses import build_optional_loss
from mmd2a.models.objectives.parameters import (
    POSE_POINTS,
    predicted_betas,
    predicted_pose,
)
from mmd2a.registry import MODELS

POSE_LOSS = dict(type='mmd2a.JointLoss')
BETAS_LOSS = dict(type='mmd2a.JointLoss', loss_weight=0.1)


@MODELS.register_module()
class ViewConsistency(nn.Module):
    r"""Compare what two views of a person gave.

    .. math:: L_{cons} = \lambda_{pose}\,
              |\theta'_{\varphi_1} - \theta_{\varphi_2}| +
              \lambda_{shape}\, |\beta_{\varphi_1} - \beta_{\varphi_2}|

    where in θ' the root is turned from the first view into the second,
    :math:`R_y(-(\varphi_2 - \varphi_1))\, R`. It asks for no label. Both
    views learn from it. For heads that give no parameters there are the
    vertices, turned in the same way.

    B: batch, V: vertices, S: shape components.

    Args:
        loss_pose: config of the loss of rotation matrices; None: off.
        loss_betas: config of the loss of shape components; None: off.
        num_betas: S.
        loss_vertices: config of the loss of vertices relative to the root,
            metres; None: off.

    L_cons of ImpHMR (Cho et al., CVPR 2023, arXiv:2306.17651). That the root
    is turned is our reading of θ'; matrices, L1 per number and the vertices
    are our choice.

    Example:
        >>> consistency = ViewConsistency()
        >>> yaw = torch.tensor([0.4])
        >>> person = dict(
        ...     global_orient=torch.eye(3)[None, None],
        ...     body_pose=torch.eye(3).expand(1, 23, 3, 3),
        ...     betas=torch.zeros(1, 10))
        >>> turned = dict(
        ...     person, global_orient=view_rotation(yaw)[:, None])
        >>> consistency(person, turned, torch.zeros(1), yaw)['loss_pose']
        tensor(0.)
    """

    def __init__(
        self,
        loss_pose: dict[str, Any] | None = POSE_LOSS,
        loss_betas: dict[str, Any] | None = BETAS_LOSS,
        num_betas: int = 10,
        loss_vertices: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.loss_pose = build_optional_loss(
            loss_pose, 'loss_pose', *POSE_POINTS
        )
        self.loss_betas = build_optional_loss(
            loss_betas, 'loss_betas', 1, num_betas
        )
        self.loss_vertices = build_optional_loss(
            loss_vertices, 'loss_vertices', 1, 3
        )

    @property
    def has_terms(self) -> bool:
        """Whether any term is on."""
        terms = (self.loss_pose, self.loss_betas, self.loss_vertices)
        return any(term is not None for term in terms)

    def forward(
        self,
        first: dict[str, Tensor],
        second: dict[str, Tensor],
        first_yaw: Tensor,
        second_yaw: Tensor,
    ) -> dict[str, Tensor]:
        """Return the terms that are on.

        Args:
            first, second: what a head gave for the views: ``global_orient``
                (B, 1, 3, 3), ``body_pose`` (B, 23, 3, 3), ``betas`` (B, S),
                ``vertices`` (B, V, 3), as far as they are compared.
            first_yaw, second_yaw: angles φ (B,) of the views, radians.

        Returns:
            ``loss_pose``, ``loss_betas``, ``loss_vertices``.
        """
        losses = {}
        turn = view_rotation(second_yaw - first_yaw)
        if self.loss_pose is not None:
            pose = predicted_pose(first).unflatten(2, (3, 3))
            pose = torch.cat([turn[:, None] @ pose[:, :1], pose[:, 1:]], 1)
            losses['loss_pose'] = self.loss_pose(
                pose.flatten(2), predicted_pose(second)
            )
        if self.loss_betas is not None:
            losses['loss_betas'] = self.loss_betas(
                predicted_betas(first), predicted_betas(second)
            )
        if self.loss_vertices is not None:
            mesh = first['vertices']
            # Half precision would move a vertex by millimetres.
            with torch.autocast(mesh.device.type, enabled=False):
                mesh = mesh @ turn.to(mesh.dtype).mT
            losses['loss_vertices'] = self.loss_vertices(
                mesh, second['vertices']
            )
        return losses
