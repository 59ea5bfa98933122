"""A second step: correct a mesh by what the image and depth say of it."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmd2a.body_models import SMPLBodyModel, build_body
from mmd2a.depth import depth_residual
from mmd2a.geometry import weak_perspective_project
from mmd2a.models.encoders.depth_cross_attention_block import (
    DepthCrossAttentionBlock,
)
from mmd2a.models.heads.coarse_body import coarsen_body
from mmd2a.models.heads.mesh_from_joints import mesh_from_joints
from mmd2a.models.heads.surface_facing import surface_facing, vertex_rings
from mmd2a.registry import MODELS
from mmd2a.structures import LocalizedJoints

EMBEDDED_BODY = dict(type='mmd2a.SMPLBodyModel')
# A correction, a residual or a sigma of 1 in the network is so many metres.
_UNIT = 0.1
# Depth sees a vertex whose normal is within 70 degrees of the view.
_FACING = 0.35
# Beyond this a residual, in metres, only says that it is large.
_FARTHEST = 1.0
# Scales of sigma change by at most e to this, either way.
_SIGMA_REACH = 2.0
_SMALLEST_SCALE = 0.1
# Features of a point: depth, 2-D, place, sigma.
_DEPTH, _FLAT, _PLACE, _SIGMA = 4, 4, 4, 3


@MODELS.register_module()
class MeshRefiner(nn.Module):
    r"""Look where the first mesh projects, and correct it.

    The tokens are the J joints and T vertices spread over the body. Each is
    told, of the first mesh,

    - where **depth** is before or behind it, the residual r of
      :func:`~mmd2a.depth.depth_residual` at the localised joints and where
      the vertices project, relative to the vertices that face the camera:
      r, r where it is near, whether it is (:math:`|r| <` ``nearness``: near
      enough to be this person), and whether there is depth;
    - where the **image** has the joint: the localised joint minus the
      projected one, in metres, and the spread of its heat map;
    - its place in the crop, its z and how far its surface faces the camera;
    - its :math:`\sigma`: what was sure already is not moved by noise.

    Weights shared by all points, an embedding of each, and attention between
    the points turn that into a correction of the mesh and of the scales,

    .. math:: v' = v + W_J\, \delta_J + W_T\, \delta_T, \qquad
              \sigma' = \sigma\, e^{2 \tanh (l / 2)}

    with weights W that carry joints (:func:`mesh_from_joints`) and spread
    vertices (the coarsening of the body) to the mesh. It starts at zero: the
    first mesh and its sigma. Without depth it works by the image alone;
    missing depth leaves no trace.

    B: batch, J: joints, V: vertices, K: coarse vertices, T: vertices that are
    tokens, C: width, D: dims of sigma, (H, W): crop. Metres, OpenCV camera
    frame; 2-D in crop coordinates.

    Args:
        coarse_ids: (K,) vertices that the coarse mesh of the head keeps.
        body_model: the body of the mesh: instance or config.
        joint_set: joint set of the mesh and of the localised joints.
        sigma_dims: D of the sigma that is corrected: 3 for joints and coarse
            vertices, 2 for joints; None: there is none.
        num_vertex_tokens: T.
        embed_dims: C.
        depth: number of attention blocks.
        num_heads: heads of their attention.
        mlp_ratio: hidden width of their MLP over C.
        use_depth: False blanks all that depth says, and nothing else: the
            control of equal capacity.
        metres_per_unit: scale of the depth the model takes; None: it has no
            unit, which goes with ``use_depth=False`` only.
        nearness: in metres.
        detach: the first mesh is not trained through the correction: it
            learns as it would without.
        first_weight: factor of the losses of the first mesh.

    Raises:
        ValueError: depth without a unit is to be used.

    Our addition: D2A-HMR has no such part. That a mesh is corrected by what
    lies where it projects is the idea of PyMAF, Zhang et al., ICCV 2021.

    Example:
        >>> body = build_body(EMBEDDED_BODY)
        >>> refiner = MeshRefiner(torch.arange(0, 6000, 60), body)
        >>> mesh = body.v_template[None] * torch.tensor([1., -1., -1.])
        >>> first = dict(
        ...     vertices=mesh, coarse_vertices=mesh[:, ::60][:, :100],
        ...     camera=torch.tensor([[0.9, 0, 0]]),
        ...     keypoints3d=torch.zeros(1, 14, 3),
        ...     keypoints2d=torch.zeros(1, 14, 2))
        >>> refined = refiner(first, depth=torch.ones(1, 2, 32, 32))
        >>> torch.equal(refined['vertices'], mesh)
        True
    """

    coarse_ids: Tensor
    token_ids: Tensor
    rings: Tensor
    carry: Tensor
    nearest_coarse: Tensor

    def __init__(
        self,
        coarse_ids: Tensor,
        body_model: SMPLBodyModel | dict = EMBEDDED_BODY,
        joint_set: str = 'h36m14',
        sigma_dims: int | None = None,
        num_vertex_tokens: int = 64,
        embed_dims: int = 96,
        depth: int = 2,
        num_heads: int = 4,
        mlp_ratio: float = 2.0,
        use_depth: bool = True,
        metres_per_unit: float | None = 0.6,
        nearness: float = 0.3,
        detach: bool = True,
        first_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if use_depth and metres_per_unit is None:
            raise ValueError(
                'MeshRefiner compares depth with a mesh in metres, and depth '
                "of data_preprocessor.depth_normalization.mode='affine' has "
                "no unit: set mode='metric', or refiner.use_depth=False"
            )
        self.use_depth, self.detach = use_depth, detach
        self.metres_per_unit = metres_per_unit or 1.0
        self.nearness, self.first_weight = nearness, first_weight
        body = build_body(body_model)
        self.num_joints = len(body.joint_names(joint_set))
        self.sigma_dims = sigma_dims or 0

        up, token_ids = coarsen_body(body, num_vertex_tokens)
        everything = torch.arange(body.num_vertices)
        template = body.v_template.cpu()
        away = torch.cdist(template[token_ids], template[coarse_ids.cpu()])
        # All derived from the body: not stored in checkpoints, as the body.
        for name, value in dict(
            coarse_ids=coarse_ids.clone(),
            token_ids=token_ids,
            rings=vertex_rings(body.faces.cpu(), token_ids),
            carry=torch.cat(
                [mesh_from_joints(body, joint_set, everything).cpu(), up], 1
            ),
            nearest_coarse=away.argmin(1),
        ).items():
            self.register_buffer(name, value, persistent=False)

        inputs = _DEPTH + _FLAT + _PLACE + _SIGMA
        points = self.num_joints + len(token_ids)
        self.embed = nn.Sequential(
            nn.Linear(inputs, embed_dims),
            nn.GELU(),
            nn.Linear(embed_dims, embed_dims),
        )
        self.point_embedding = nn.Parameter(
            torch.randn(points, embed_dims) * 0.02
        )
        self.blocks = nn.ModuleList(
            DepthCrossAttentionBlock(
                embed_dims, num_heads, mlp_ratio, 0.0, with_depth=False
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(embed_dims)
        self.output = nn.Linear(embed_dims, 3 + self.sigma_dims)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(
        self,
        first: dict[str, Any],
        depth: Tensor | None = None,
        has_depth: Tensor | None = None,
        temperature: Tensor | float = 1.0,
    ) -> dict[str, Any]:
        """Correct a mesh.

        Args:
            first: ``vertices`` (B, V, 3), ``coarse_vertices`` (B, K, 3) and
                ``keypoints3d`` (B, J, 3) relative to the root, ``camera``
                (B, 3) weak perspective, ``keypoints2d`` (B, J, 2); perhaps
                ``sigma`` (B, P, D) and ``localized``, a
                :class:`LocalizedJoints`.
            depth: normalised depth and its validity (B, 2, H, W); None:
                nobody has it.
            has_depth: (B,), above 0 for samples that have depth; None: all.
            temperature: factor that sigma has got after training: it is no
                news of the points, and stays.

        Returns:
            The same with ``vertices``, ``coarse_vertices`` and ``sigma``
            corrected; their root has moved, joints are as they were.
        """
        if self.detach:
            first = {key: _detached(value) for key, value in first.items()}
        features = self._features(first, depth, has_depth, temperature)
        tokens = self.embed(features.to(self.point_embedding.dtype))
        tokens = tokens + self.point_embedding
        for block in self.blocks:
            tokens = block(tokens)[0]
        out = self.output(self.norm(tokens))
        vertices = first['vertices']
        # Half precision would move a vertex by millimetres.
        with torch.autocast(out.device.type, enabled=False):
            out = out.to(vertices.dtype)
            moved = self.carry @ (_UNIT * out[..., :3])
            refined = dict(
                first,
                vertices=vertices + moved,
                coarse_vertices=first['coarse_vertices']
                + moved[:, self.coarse_ids],
            )
            if self.sigma_dims:
                refined['sigma'] = first['sigma'] * self._factor(out[..., 3:])
        return refined

    def _factor(self, raw: Tensor) -> Tensor:
        """Factors (B, P, D) of sigma from raw numbers (B, J + T, D)."""
        if self.sigma_dims == 2:
            points = raw[:, : self.num_joints]
        else:
            own = self.carry[self.coarse_ids, self.num_joints :]
            points = torch.cat(
                [raw[:, : self.num_joints], own @ raw[:, self.num_joints :]], 1
            )
        return (_SIGMA_REACH * torch.tanh(points / _SIGMA_REACH)).exp()

    def _features(
        self,
        first: dict[str, Any],
        depth: Tensor | None,
        has_depth: Tensor | None,
        temperature: Tensor | float = 1.0,
    ) -> Tensor:
        """What is known of each point, (B, J + T, F), in units of its own."""
        mesh, camera = first['vertices'], first['camera']
        joints, localized = first['keypoints3d'], first.get('localized')
        with torch.autocast(mesh.device.type, enabled=False):
            spread = mesh[:, self.token_ids]
            facing = torch.cat(
                [
                    mesh.new_zeros(joints.shape[:2]),
                    surface_facing(mesh, self.rings),
                ],
                1,
            )
            z = torch.cat([joints[..., 2], spread[..., 2]], 1)
            seen = (
                first['keypoints2d']
                if localized is None
                else localized.keypoints2d
            )
            points2d = torch.cat(
                [
                    seen.to(mesh.dtype),
                    weak_perspective_project(spread, camera),
                ],
                1,
            )
            parts = [
                self._depth_features(
                    depth, has_depth, points2d, z, facing > _FACING
                ),
                self._flat_features(first, localized),
                points2d,
                torch.stack([z / (3 * _UNIT), facing], -1),
                self._sigma_features(first, z, temperature),
            ]
            return torch.cat(parts, -1)

    def _depth_features(
        self,
        depth: Tensor | None,
        has_depth: Tensor | None,
        points2d: Tensor,
        z: Tensor,
        reference: Tensor,
    ) -> Tensor:
        """Residual of depth (B, J + T, 4); zero where there is none."""
        if depth is None or not self.use_depth:
            return z.new_zeros(*z.shape, _DEPTH)
        residual, known = depth_residual(
            depth, points2d, z, reference, self.metres_per_unit, has_depth
        )
        near = known & (residual.abs() < self.nearness)
        residual = residual.clamp(-_FARTHEST, _FARTHEST) / _UNIT
        return torch.stack(
            [residual, residual * near, near.to(z.dtype), known.to(z.dtype)],
            -1,
        )

    def _flat_features(
        self, first: dict[str, Any], localized: LocalizedJoints | None
    ) -> Tensor:
        """Where the image has joints, against the mesh, (B, J + T, 4)."""
        camera = first['camera']
        points = self.num_joints + len(self.token_ids)
        if localized is None:
            return camera.new_zeros(len(camera), points, _FLAT)
        away = localized.keypoints2d.to(camera) - first['keypoints2d']
        flat = torch.cat([away, localized.spread.to(camera)], -1)
        scale = camera[:, None, :1].clamp_min(_SMALLEST_SCALE)
        # Nothing beside the joints was localised.
        return F.pad(flat / scale / _UNIT, (0, 0, 0, len(self.token_ids)))

    def _sigma_features(
        self, first: dict[str, Any], z: Tensor, temperature: Tensor | float
    ) -> Tensor:
        """Log scales of the points (B, J + T, 3); zero where unknown."""
        if not self.sigma_dims:
            return z.new_zeros(*z.shape, _SIGMA)
        scales = (first['sigma'].to(z.dtype) / (_UNIT * temperature)).log()
        joints = scales[:, : self.num_joints]
        if self.sigma_dims == 2:
            vertices = z.new_zeros(len(z), len(self.token_ids), 2)
        else:
            vertices = scales[:, self.num_joints :][:, self.nearest_coarse]
        known = torch.cat([joints, vertices], 1)
        return F.pad(known, (0, _SIGMA - self.sigma_dims))


def _detached(value: Any) -> Any:
    """Cut a tensor, or a named tuple of them, from its gradients."""
    if isinstance(value, Tensor):
        return value.detach()
    return type(value)(*(_detached(each) for each in value))
