"""Model-free mesh head: tokens to a coarse mesh to the full mesh."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmd2a.body_models import SMPLBodyModel, build_body
from mmd2a.geometry import root_position
from mmd2a.models.heads.camera_decoding import decode_camera
from mmd2a.models.heads.coarse_body import coarsen_body
from mmd2a.models.heads.mean_mesh import mean_vertices
from mmd2a.models.heads.mesh_from_joints import mesh_from_joints
from mmd2a.models.heads.sigma_upsampling import upsample_scale
from mmd2a.models.heads.token_regressor import TokenRegressor
from mmd2a.registry import MODELS
from mmd2a.structures import LocalizedJoints, TokenMap

EMBEDDED_BODY = dict(type='mmd2a.SMPLBodyModel')
# An offset of 1 in the network is this many metres: the size of what it has
# to predict, which keeps the steps of an optimiser sane.
_OFFSET_UNIT = 0.1
# A person that small in a crop has not been cropped.
_SMALLEST_SCALE = 0.1


@MODELS.register_module()
class CoarseMeshHead(nn.Module):
    r"""Regress a coarse mesh and a camera, then upsample the mesh.

    .. math:: c = \bar c + \Delta(z, z_{depth}), \qquad
              v = \bigl(U + \tfrac{1}{K} \Delta U\bigr)\, c

    with the mean coarse mesh :math:`\bar c` (a person standing upright before
    the camera), the geometric upsampling U of the body model and a learned
    correction ΔU that starts at zero. Everything starts near the mean mesh.

    With localised joints :math:`u` (J, 2) of a :class:`JointLocalizer` the
    mesh hangs on them instead:

    .. math:: c = A X + \bar c - A \bar X + \Delta, \qquad
              X_j = \bigl((u_j - u_{root}) / s,\ z_j\bigr)

    with weights A that place vertices between joints, learned from where
    :func:`~mmd2a.models.heads.mesh_from_joints.mesh_from_joints` puts them,
    the predicted scale s and depths z relative to the root. Where a joint is
    in the image is then where the mesh projects, and its losses train the
    localisation.

    The depth skip of D2A-HMR enters twice: beside the image features, and by
    a linear path straight to the output.

    B: batch, N = h w, N': tokens, C, C': their widths, V: vertices, K: coarse
    vertices. Metres, OpenCV camera frame; the root is not subtracted.

    Args:
        in_channels: C.
        body_model: body whose mesh is predicted: instance or config.
        num_coarse_vertices: K.
        depth_channels: C'; None: no depth skip and no parameters for it.
        hidden: width of the hidden layer.
        joint_set: joint set of the localised joints; None: none are given.
        joint_channels: width of their features.
        root: names of those of them whose mean is where mesh and camera hang.

    D2A-HMR, regressor R. The paper lists itself as model-free and gives no
    layers; these are our choice.

    Example:
        >>> head = CoarseMeshHead(64, num_coarse_vertices=100)
        >>> out = head(TokenMap(torch.zeros(2, 36, 64), (6, 6)))
        >>> out['coarse_vertices'].shape, out['camera'].shape
        (torch.Size([2, 100, 3]), torch.Size([2, 3]))
    """

    mean_coarse: Tensor
    coarse_ids: Tensor
    up: Tensor
    mean_joints: Tensor

    def __init__(
        self,
        in_channels: int,
        body_model: SMPLBodyModel | dict = EMBEDDED_BODY,
        num_coarse_vertices: int = 431,
        depth_channels: int | None = None,
        hidden: int = 512,
        joint_set: str | None = None,
        joint_channels: int = 64,
        root: Sequence[str] = ('left_hip', 'right_hip'),
    ) -> None:
        super().__init__()
        body = build_body(body_model)
        up, ids = coarsen_body(body, num_coarse_vertices)
        # Derived from the body: not stored in checkpoints, as the body.
        self.register_buffer('up', up, persistent=False)
        self.register_buffer('coarse_ids', ids, persistent=False)
        self.register_buffer(
            'mean_coarse', mean_vertices(body)[ids], persistent=False
        )
        self.num_coarse_vertices = up.shape[1]
        self.up_correction = nn.Parameter(torch.zeros_like(up))

        self.num_joints = 0
        self.root_ids: list[int] = []
        joint_inputs = None
        if joint_set is not None:
            names = body.joint_names(joint_set)
            self.num_joints = len(names)
            absent = [name for name in root if name not in names]
            if absent:
                raise ValueError(
                    f'head.root={tuple(root)} must name joints of '
                    f"joint_set='{joint_set}': {', '.join(names)}"
                )
            self.root_ids = [names.index(name) for name in root]
            joint_inputs = LocalizedJoints.width(
                self.num_joints, joint_channels
            )
            weights = mesh_from_joints(body, joint_set, ids)
            joints = body.regress_joints(mean_vertices(body)[None], joint_set)
            joints = joints - root_position(joints, self.root_ids)
            self.between_joints = nn.Parameter(weights)
            self.register_buffer('mean_joints', joints[0], persistent=False)
        # Coarse vertices, camera, depths of joints.
        self.splits = (3 * self.num_coarse_vertices, 3, self.num_joints)
        self.regressor = TokenRegressor(
            in_channels, depth_channels, hidden, sum(self.splits), joint_inputs
        )

    def forward(
        self,
        z: TokenMap,
        depth: TokenMap | None = None,
        joints: LocalizedJoints | None = None,
    ) -> dict[str, Tensor]:
        """Predict a mesh and a camera.

        Args:
            z: encoder output (B, N, C) on (h, w).
            depth: depth features (B, N', C') on a grid of their own, with
                ``has`` where not all samples have depth; None: nobody has.
            joints: localised joints, where the head is built for them.

        Returns:
            ``vertices`` (B, V, 3), ``coarse_vertices`` (B, K, 3), ``camera``
            (B, 3) weak perspective (s, tx, ty).
        """
        out = self.regressor(z, depth, joints)
        # Half precision would move a vertex by millimetres.
        with torch.autocast(out.device.type, enabled=False):
            offsets, camera, depths = out.to(self.mean_coarse.dtype).split(
                self.splits, 1
            )
            coarse = self.mean_coarse + _OFFSET_UNIT * offsets.unflatten(
                1, (-1, 3)
            )
            camera = decode_camera(camera)
            if joints is not None:
                moved, camera = self._hang_on(
                    joints.keypoints2d, depths, camera
                )
                coarse = coarse + moved
            return dict(
                vertices=self.upsample(coarse),
                coarse_vertices=coarse,
                camera=camera,
            )

    def _hang_on(
        self, keypoints2d: Tensor, depths: Tensor, camera: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Let mesh and camera follow the localised joints.

        Args:
            keypoints2d: (B, J, 2), crop coordinates.
            depths: (B, J), in units of offsets, relative to the mean body.
            camera: (B, 3) as it is without them.

        Returns:
            What to add to the coarse mesh (B, K, 3), and the camera (B, 3)
            that shows the root where it was found.
        """
        root = keypoints2d[:, self.root_ids].mean(1, keepdim=True)
        scale = camera[:, None, :1].clamp_min(_SMALLEST_SCALE)
        seen = (keypoints2d - root) / scale - self.mean_joints[:, :2]
        moved = torch.cat([seen, _OFFSET_UNIT * depths[..., None]], -1)
        shift = torch.cat([torch.zeros_like(scale), root / scale], -1)[:, 0]
        return self.between_joints @ moved, camera + shift

    def upsample(self, coarse: Tensor) -> Tensor:
        """Coarse vertices (B, K, 3) -> vertices (B, V, 3)."""
        return (coarse.transpose(1, 2) @ self._weights().T).transpose(1, 2)

    def upsample_sigma(self, sigma: Tensor) -> Tensor:
        """Scale of coarse vertices (B, K, D) -> of vertices (B, V, D).

        By the weights that make the mesh, learned correction included; see
        :func:`~mmd2a.models.heads.sigma_upsampling.upsample_scale`.
        """
        return upsample_scale(self._weights(), sigma)

    def _weights(self) -> Tensor:
        # A vertex sums over all K corrections: 1 / K keeps one optimiser step
        # on them as large as one on an offset.
        return torch.add(
            self.up, self.up_correction, alpha=1 / self.num_coarse_vertices
        )
