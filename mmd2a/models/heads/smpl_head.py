"""Parametric head: tokens to SMPL parameters to a mesh."""

import torch
from torch import Tensor, nn

from mmd2a.body_models import SMPLBodyModel, build_body
from mmd2a.geometry.rotations import (
    matrix_to_rotation_6d,
    rotation_6d_to_matrix,
)
from mmd2a.models.heads.camera_decoding import decode_camera
from mmd2a.models.heads.coarse_body import coarsen_body
from mmd2a.models.heads.mean_mesh import mean_rotations
from mmd2a.models.heads.sigma_upsampling import upsample_scale
from mmd2a.models.heads.token_regressor import TokenRegressor
from mmd2a.registry import MODELS
from mmd2a.structures import LocalizedJoints, TokenMap

EMBEDDED_BODY = dict(type='mmd2a.SMPLBodyModel')


@MODELS.register_module()
class SMPLHead(nn.Module):
    """Regress pose, shape and camera; the body model gives the mesh.

    Of SMPL-H and SMPL-X it regresses the body; hands, jaw, eyes and
    expression stay at rest.

    Rotations are regressed in 6-D as offsets from the mean body (a person
    standing upright before the camera), shape from zero, so the start is the
    mean mesh. Same interface as `CoarseMeshHead`, plus the parameters.

    B: batch, N = h w, N': tokens, C, C': their widths, V: vertices, K: coarse
    vertices, S: shape components, P: joints of ``body_pose``, 23 of SMPL, 21
    of SMPL-H and SMPL-X. Metres, OpenCV camera frame; the root is
    not subtracted.

    Args:
        in_channels: C.
        body_model: instance or config.
        num_coarse_vertices: K.
        depth_channels: C'; None: no depth skip and no parameters for it.
        hidden: width of the hidden layer.
        joint_set: joint set of localised joints; None: none are given.
        joint_channels: width of their features.
        grid_size: side of the grid that tokens are averaged onto; 1: all of
            them, as HMR does.
        reduced: channels an image token is reduced to before.
        iterations: how often the numbers are told, each time seeing the last
            ones, as HMR does; 1: at once.

    D2A-HMR's "SMPL loss" reading of the regressor R; 6-D rotations: Zhou et
    al., CVPR 2019.

    Example:
        >>> head = SMPLHead(64, num_coarse_vertices=100)
        >>> z = TokenMap(torch.zeros(2, 36, 64), (6, 6))
        >>> head(z)['body_pose'].shape
        torch.Size([2, 23, 3, 3])
    """

    mean_rotation_6d: Tensor
    coarse_ids: Tensor
    up: Tensor

    def __init__(
        self,
        in_channels: int,
        body_model: SMPLBodyModel | dict = EMBEDDED_BODY,
        num_coarse_vertices: int = 431,
        depth_channels: int | None = None,
        hidden: int = 512,
        joint_set: str | None = None,
        joint_channels: int = 64,
        grid_size: int = 6,
        reduced: int = 32,
        iterations: int = 1,
    ) -> None:
        super().__init__()
        self.body_model = build_body(body_model)
        up, ids = coarsen_body(self.body_model, num_coarse_vertices)
        self.register_buffer('coarse_ids', ids, persistent=False)
        self.register_buffer('up', up, persistent=False)
        self.num_coarse_vertices = len(self.coarse_ids)
        self.register_buffer(
            'mean_rotation_6d',
            matrix_to_rotation_6d(
                mean_rotations(self.body_model.num_body_joints)
            ),
            persistent=False,
        )

        # Rotations, shape, camera.
        self.splits = (
            self.mean_rotation_6d.numel(),
            self.body_model.num_betas,
            3,
        )
        joint_inputs = None
        if joint_set is not None:
            joint_inputs = LocalizedJoints.width(
                len(self.body_model.joint_names(joint_set)), joint_channels
            )
        self.regressor = TokenRegressor(
            in_channels,
            depth_channels,
            hidden,
            sum(self.splits),
            joint_inputs,
            reduced,
            grid_size=grid_size,
            iterations=iterations,
        )

    def forward(
        self,
        z: TokenMap,
        depth: TokenMap | None = None,
        joints: LocalizedJoints | None = None,
    ) -> dict[str, Tensor]:
        """Predict parameters, a mesh and a camera.

        Args:
            z: encoder output (B, N, C) on (h, w).
            depth: depth features (B, N', C') on a grid of their own, with
                ``has`` where not all samples have depth; None: nobody has.
            joints: localised joints, where the head is built for them.

        Returns:
            ``vertices`` (B, V, 3), ``coarse_vertices`` (B, K, 3), ``camera``
            (B, 3) weak perspective (s, tx, ty), ``global_orient``
            (B, 1, 3, 3), ``body_pose`` (B, P, 3, 3), ``betas`` (B, S).
        """
        out = self.regressor(z, depth, joints)
        # Half precision would move a vertex by millimetres.
        with torch.autocast(out.device.type, enabled=False):
            pose, betas, camera = out.to(self.mean_rotation_6d.dtype).split(
                self.splits, 1
            )
            rotations = rotation_6d_to_matrix(
                self.mean_rotation_6d + pose.unflatten(1, (-1, 6))
            )
            global_orient, body_pose = rotations[:, :1], rotations[:, 1:]
            vertices = self.body_model(
                global_orient, body_pose, betas, pose_format='matrix'
            ).vertices
            return dict(
                vertices=vertices,
                coarse_vertices=vertices[:, self.coarse_ids],
                camera=decode_camera(camera),
                global_orient=global_orient,
                body_pose=body_pose,
                betas=betas,
            )

    def upsample_sigma(self, sigma: Tensor) -> Tensor:
        """Scale of coarse vertices (B, K, D) -> of vertices (B, V, D).

        By the interpolation between the coarse vertices of the body, as the
        mesh does not come from them; see
        :func:`~mmd2a.models.heads.sigma_upsampling.upsample_scale`.
        """
        return upsample_scale(self.up, sigma)
