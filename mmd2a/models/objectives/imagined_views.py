"""Imagined views for an estimator whose tokens know the image alone."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from mmd2a.body_models import SMPLBodyModel
from mmd2a.models.objectives.imagined_losses import (
    check_num_views,
    imagined_losses,
    joined,
)
from mmd2a.registry import MODELS
from mmd2a.structures import TokenMap

Config = dict[str, Any]

EMBEDDED_BODY = dict(type='mmd2a.SMPLBodyModel')
VIEW_DECODER = dict(type='mmd2a.ViewDecoder')
UNIFORM_YAW = dict(type='mmd2a.UniformYaw')
# Where the person would be in another camera's crop is nothing to learn.
IMAGINATION = dict(type='mmd2a.MeshObjective', loss_keypoints2d=None)
CONSISTENCY = dict(
    type='mmd2a.ViewConsistency',
    loss_pose=None,
    loss_betas=None,
    loss_vertices=dict(type='mmd2a.VertexLoss'),
)


@MODELS.register_module()
class ImaginedViews(nn.Module):
    r"""Tell people from all sides while training, of the tokens of an image.

    ::

        z ── decoder(φ) ── z_φ ── head of the model ── mesh_φ

    .. math:: L = E_{\varphi} [L_{imag}(\varphi)] +
              E_{\varphi_1, \varphi_2} [L_{cons}(\varphi_1, \varphi_2)]

    with the labels turned by −φ, and two views compared with each other, as
    ImpHMR has them: tokens from which a person can be told from behind know
    more than the side that is seen. Nothing of it is there when predicting.

    B: batch, N: tokens, C: token width.

    Args:
        in_channels: C.
        decoder: config of :class:`ViewDecoder`.
        head: config of a head of its own; None: the model's.
        imagination: config of the :class:`MeshObjective` of L_imag; None:
            off. Its 2-D joints are off by default.
        consistency: config of :class:`ViewConsistency`, L_cons, by default of
            the meshes, which every head gives; None: off.
        yaw: config of p(φ).
        num_views: angles drawn for each sample; L_cons compares each with the
            next.
        body_model: the body of the model.
        joint_set: its joints.

    Raises:
        ValueError: fewer views than are compared.

    L_imag and L_cons: Cho et al., CVPR 2023, arXiv:2306.17651. Beside
    D2A-HMR they are our addition.

    Example:
        >>> views = ImaginedViews(in_channels=8, consistency=None)
        >>> views.has_terms, views.num_views
        (True, 2)
    """

    def __init__(
        self,
        in_channels: int,
        decoder: Config = VIEW_DECODER,
        head: Config | None = None,
        imagination: Config | None = IMAGINATION,
        consistency: Config | None = CONSISTENCY,
        yaw: Config = UNIFORM_YAW,
        num_views: int = 2,
        body_model: SMPLBodyModel | Config = EMBEDDED_BODY,
        joint_set: str = 'h36m14',
    ) -> None:
        super().__init__()
        check_num_views(num_views, consistency)
        self.num_views = num_views
        self.decoder = MODELS.build(
            decoder, default_args=dict(in_channels=in_channels)
        )
        self.yaw = MODELS.build(yaw)
        self.head: Any = None
        if head is not None:
            self.head = MODELS.build(
                head,
                default_args=dict(
                    in_channels=in_channels, body_model=body_model
                ),
            )
        self.imagination: Any = None
        if imagination is not None:
            # One body, whatever a tool has entered in all objectives.
            self.imagination = MODELS.build(
                {
                    'joint_set': joint_set,
                    **imagination,
                    'body_model': body_model,
                }
            )
        self.consistency: Any = None
        if consistency is not None:
            self.consistency = MODELS.build(consistency)

    @property
    def has_terms(self) -> bool:
        """Whether any term is on."""
        return any(
            each is not None and each.has_terms
            for each in (self.imagination, self.consistency)
        )

    def forward(
        self, z: TokenMap, yaw: Tensor, head: nn.Module
    ) -> dict[str, Tensor]:
        """Tell of a view.

        Args:
            z: tokens (B, N, C) of the image.
            yaw: angle φ (B,), radians.
            head: that of the model, asked where there is no own one.

        Returns:
            What the head gives, in the axes of that camera.
        """
        head = head if self.head is None else self.head
        return head(self.decoder(z, yaw))

    def losses(
        self,
        imagine: Callable[[Tensor], dict[str, Tensor]],
        targets: dict[str, Tensor],
        turned: Callable[[dict[str, Tensor], Tensor], dict[str, Tensor]],
    ) -> dict[str, Tensor]:
        """Return L_imag and L_cons over views of random angles.

        Args:
            imagine: angle (B,) -> centred output of a head.
            targets: labels of the batch, unturned.
            turned: :meth:`MeshObjective.turned`.

        Returns:
            See :func:`imagined_losses`.
        """
        like = targets['vertices']
        yaws = [
            self.yaw(len(like), like.device) for _ in range(self.num_views)
        ]
        labels = joined([turned(targets, yaw) for yaw in yaws])
        views = [imagine(yaw) for yaw in yaws]
        return imagined_losses(
            views, yaws, labels, self.imagination, self.consistency
        )

    def extra_repr(self) -> str:
        """Say how many views are imagined."""
        return f'num_views={self.num_views}'
