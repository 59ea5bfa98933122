"""The body layer: pose and shape parameters to a mesh, by skinning."""

import copy
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmd2a.body_models import joint_sets
from mmd2a.body_models.families import FAMILIES
from mmd2a.body_models.layer_arrays import (
    collect_regressors,
    layer_buffers,
    load_body,
)
from mmd2a.body_models.pose_arguments import (
    check_shape_arguments,
    join_rotations,
)
from mmd2a.body_models.regressor_files import regressor_joints
from mmd2a.registry import MODELS

__all__ = ['BodyOutput', 'SMPLBodyModel']


class BodyOutput(NamedTuple):
    """A posed body: ``vertices`` (B, V, 3) and ``joints`` (B, J, 3), m."""

    vertices: Tensor
    joints: Tensor


@MODELS.register_module()
class SMPLBodyModel(nn.Module):
    r"""Pose and shape a body of the SMPL family by linear blend skinning.

    .. math::
        \bar v &= t + S \beta + E \psi
                  + P \operatorname{vec}(R_{1..} - I) \\
        v &= \sum_j w_j \, G_j(R, J(\beta)) \, \bar v + \tau

    with template :math:`t`, shape directions :math:`S`, expression directions
    :math:`E` (SMPL-X), pose directions :math:`P`, skinning weights :math:`w`,
    rest joints :math:`J(\beta) = \mathcal J (t + S\beta + E\psi)` and
    :math:`G_j` the rigid motion of joint j along the kinematic tree.

    B: batch, V: vertices, F: faces, J: joints, S: shape components, X:
    expression components, P: components of a hand.

    The file says which body it is: SMPL (24 joints), SMPL-H (52, with
    fingers) or SMPL-X (55, with fingers, jaw and eyes). The rest frame is
    that of SMPL (y up, facing +z); ``global_orient`` and ``transl`` take the
    body straight to the OpenCV camera frame. Metres, radians. All arrays are
    non-persistent buffers: a checkpoint never holds a body. Computes in the
    precision of the buffers, also under autocast.

    Args:
        path: npz of a body, see :func:`read_body_file`; a name alone is
            looked for in ``$MMD2A_BODY_MODEL_DIR`` too. None: the body that
            comes with the package.
        num_betas: number of shape components S used, 10 to 300 of licensed
            files.
        joint_regressors: further regressors, joint set -> npy or npz file
            (J, V). SMPL files hold none for ``'h36m14'`` and ``'coco17'``;
            those in ``$MMD2A_BODY_MODEL_DIR`` are found there, see
            :func:`~mmd2a.body_models.layer_arrays.collect_regressors`.
        model_type: ``'smpl'``, ``'smplh'`` or ``'smplx'`` instead of a path:
            the file of this name and ``gender`` in that folder.
        gender: ``'neutral'``, ``'male'`` or ``'female'``, with
            ``model_type``.
        num_expression_coeffs: number of expression components X of SMPL-X.
        num_pca_comps: hands in axis-angle are coefficients of the first P
            components of the file; None: 15 joints each.
        flat_hand_mean: hands at rest are flat; else as the file has them,
            relaxed, as in smplx.

    Loper et al., "SMPL: A Skinned Multi-Person Linear Model", SIGGRAPH Asia
    2015; Romero et al., "Embodied Hands", SIGGRAPH Asia 2017; Pavlakos et
    al., "Expressive Body Capture", CVPR 2019.

    Example:
        >>> body = SMPLBodyModel()
        >>> out = body(torch.zeros(2, 3), torch.zeros(2, 69),
        ...            torch.zeros(2, 10))
        >>> tuple(out.joints.shape)
        (2, 24, 3)
        >>> tuple(body.regress_joints(out.vertices, 'h36m14').shape)
        (2, 14, 3)
    """

    v_template: Tensor
    faces: Tensor
    weights: Tensor
    part_labels: Tensor
    _template_planes: Tensor
    _shape_planes: Tensor
    _pose_planes: Tensor
    _joint_template: Tensor
    _joint_shapedirs: Tensor
    _expression_planes: Tensor
    _joint_expressiondirs: Tensor

    def __init__(
        self,
        path: str | Path | None = None,
        num_betas: int = 10,
        joint_regressors: Mapping[str, str | Path] | None = None,
        model_type: str | None = None,
        gender: str = 'neutral',
        num_expression_coeffs: int = 10,
        num_pca_comps: int | None = None,
        flat_hand_mean: bool = False,
    ) -> None:
        super().__init__()
        arrays, self.path = load_body(path, model_type, gender)
        self.family = FAMILIES[len(arrays['J_regressor'])]
        self.parents = self.family.parents
        self.num_betas = num_betas
        self.num_expression_coeffs = (
            num_expression_coeffs if self.family.has_expression else 0
        )
        regressors = collect_regressors(
            arrays, self.family, joint_regressors or {}, self.path
        )
        self.joint_sets = tuple(regressors)
        buffers = layer_buffers(
            arrays,
            regressors,
            (num_betas, self.num_expression_coeffs),
            num_pca_comps,
            flat_hand_mean,
            self.path,
        )
        self._hand_names = tuple(k for k in buffers if '_hand_' in k)
        for name, value in buffers.items():
            self.register_buffer(name, value, persistent=False)

    @property
    def num_vertices(self) -> int:
        """Number of vertices V."""
        return len(self.v_template)

    @property
    def num_joints(self) -> int:
        """Number of joints of the kinematic tree."""
        return len(self.parents)

    @property
    def num_body_joints(self) -> int:
        """Number of joints that ``body_pose`` turns: 23 of SMPL, else 21."""
        return self.family.parts['body_pose']

    def forward(
        self,
        global_orient: Tensor,
        body_pose: Tensor,
        betas: Tensor,
        transl: Tensor | None = None,
        pose_format: str = 'axis_angle',
        *,
        left_hand_pose: Tensor | None = None,
        right_hand_pose: Tensor | None = None,
        jaw_pose: Tensor | None = None,
        leye_pose: Tensor | None = None,
        reye_pose: Tensor | None = None,
        expression: Tensor | None = None,
    ) -> BodyOutput:
        """Pose the body.

        Args:
            global_orient: root orientation, (B, 3) axis-angle or
                (B, 1, 3, 3) matrices.
            body_pose: joint rotations relative to their parents, axis-angle
                (B, 69) of SMPL and (B, 63) of the others, or matrices
                (B, 23, 3, 3), (B, 21, 3, 3).
            betas: shape coefficients (B, S).
            transl: translation (B, 3), m; None: zero.
            pose_format: ``'axis_angle'`` or ``'matrix'``, for all rotation
                arguments.
            left_hand_pose, right_hand_pose: of SMPL-H and SMPL-X. Axis-angle
                (B, 45), or (B, P) coefficients, added to the hand at rest;
                matrices (B, 15, 3, 3), which stand for themselves. None: the
                hand at rest.
            jaw_pose, leye_pose, reye_pose: of SMPL-X, (B, 3) or
                (B, 1, 3, 3); None: at rest.
            expression: of SMPL-X, (B, X); None: zero.

        Raises:
            ValueError: an argument of another shape, or that this body does
                not have.
        """
        pose = dict(
            global_orient=global_orient,
            body_pose=body_pose,
            left_hand_pose=left_hand_pose,
            right_hand_pose=right_hand_pose,
            jaw_pose=jaw_pose,
            leye_pose=leye_pose,
            reye_pose=reye_pose,
        )
        dtype = self.v_template.dtype
        # Half precision would move a vertex by millimetres.
        with torch.autocast(betas.device.type, enabled=False):
            rotations = join_rotations(
                self.family,
                {k: v if v is None else v.to(dtype) for k, v in pose.items()},
                pose_format,
                {name: getattr(self, name) for name in self._hand_names},
            )
            check_shape_arguments(
                rotations.shape[0],  # len() would fix it in exports
                (betas, self.num_betas),
                (expression, self.num_expression_coeffs),
                transl,
            )
            rest, rest_joints = self._shape(betas, expression)
            eye = torch.eye(3, dtype=dtype, device=rotations.device)
            pose_feature = (rotations[:, 1:] - eye).flatten(1)
            rest = torch.addmm(rest, pose_feature, self._pose_planes)
            joints, motions = self._kinematics(rotations, rest_joints)
            vertices = self._skin(
                rest.unflatten(1, (3, self.num_vertices)), motions
            )
            if transl is not None:
                transl = transl.to(dtype)[:, None]
                vertices, joints = vertices + transl, joints + transl
        return BodyOutput(vertices, joints)

    def regress_joints(self, vertices: Tensor, joint_set: str) -> Tensor:
        """Read joints out of posed vertices: (B, V, 3) -> (B, J, 3)."""
        regressor = self._regressor(joint_set)
        if vertices.shape[-2:] != (self.num_vertices, 3):
            raise ValueError(
                f'vertices have shape {tuple(vertices.shape)}, expected '
                f'(B, {self.num_vertices}, 3) for this body'
            )
        with torch.autocast(vertices.device.type, enabled=False):
            return regressor @ vertices.to(regressor.dtype)

    def at_vertices(self, ids: Tensor) -> 'SMPLBodyModel':
        """Copy this body with some of its vertices only: (K,) ids.

        For work that needs few vertices, often: joints and everything else
        stay the same. The copy has no faces and no regressors.
        """
        part = copy.copy(self)
        part._buffers = dict(self._buffers)
        for name in ('v_template', 'weights', 'part_labels'):
            part._buffers[name] = getattr(self, name)[ids]
        for name in [n for n in part._buffers if n.endswith('_planes')]:
            planes = getattr(self, name).unflatten(-1, (3, -1))
            part._buffers[name] = planes[..., ids].flatten(-2)
        for name in ('faces', *(f'_regressor_{s}' for s in self.joint_sets)):
            del part._buffers[name]
        part.joint_sets = ()
        return part

    def joint_names(self, joint_set: str) -> tuple[str, ...]:
        """Names of the joints of a set, in order."""
        if joint_set == self.family.joint_set:
            return self.family.joint_names
        return regressor_joints(joint_set)

    def flip_pairs(self, joint_set: str) -> tuple[tuple[int, int], ...]:
        """(left, right) pairs of joints that a mirror image swaps."""
        return joint_sets.flip_pairs(joint_set)

    def regressor_hash(self, joint_set: str) -> str:
        """Name a regressor by its content: 8 hexadecimal digits.

        Two results are comparable only if their regressors are the same.
        """
        # Rounding makes the name independent of how rows were normalised.
        matrix = self._regressor(joint_set).double().cpu().numpy().round(5)
        content = repr(matrix.shape).encode() + (matrix + 0.0).tobytes()
        return hashlib.sha256(content).hexdigest()[:8]

    def extra_repr(self) -> str:
        """Say which body this is."""
        return (
            f'{self.family.name}, path={self.path!r}, '
            f'num_vertices={self.num_vertices}, '
            f'num_betas={self.num_betas}, joint_sets={self.joint_sets}'
        )

    def _regressor(self, joint_set: str) -> Tensor:
        if len(parts := joint_set.split('+')) > 1:
            rows = torch.cat([self._regressor(part) for part in parts])
            return rows[list(joint_sets.rows_of_union(tuple(parts)))]
        if joint_set not in self.joint_sets:
            raise KeyError(
                f'the body {self.path} has no regressor for {joint_set!r}, '
                f'only {", ".join(self.joint_sets)}. Pass '
                f"joint_regressors=dict({joint_set}='FILE.npy') with an array "
                f'({len(self.joint_names(joint_set))}, {self.num_vertices}), '
                f"or add it to the npz as '{joint_set}_regressor'."
            )
        return getattr(self, f'_regressor_{joint_set}')

    def _shape(
        self, betas: Tensor, expression: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Shape the rest pose: vertices (B, 3 V) and joints (B, J, 3)."""
        betas = betas.to(self.v_template.dtype)
        joints = self._joint_template + torch.tensordot(
            betas, self._joint_shapedirs, 1
        )
        rest = torch.addmm(self._template_planes, betas, self._shape_planes)
        if expression is None:
            return rest, joints
        expression = expression.to(betas)
        return (
            torch.addmm(rest, expression, self._expression_planes),
            joints
            + torch.tensordot(expression, self._joint_expressiondirs, 1),
        )

    def _kinematics(
        self, rotations: Tensor, rest_joints: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Walk the tree: posed joints (B, J, 3), motions (B, J, 3, 4).

        The motion of a joint takes a point of the rest pose to its place when
        it moves with that joint alone.
        """
        turn, place = [rotations[:, 0]], [rest_joints[:, 0]]
        for joint, parent in enumerate(self.parents[1:], start=1):
            bone = rest_joints[:, joint] - rest_joints[:, parent]
            turn.append(turn[parent] @ rotations[:, joint])
            place.append(
                place[parent] + (turn[parent] @ bone[..., None])[..., 0]
            )
        turns, joints = torch.stack(turn, 1), torch.stack(place, 1)
        shift = joints[..., None] - turns @ rest_joints[..., None]
        return joints, torch.cat([turns, shift], -1)

    def _skin(self, rest: Tensor, motions: Tensor) -> Tensor:
        """Blend the motions per vertex: rest (B, 3, V) -> (B, V, 3)."""
        blend = motions.flatten(2).transpose(1, 2) @ self.weights.T
        blend = blend.unflatten(1, (3, 4))  # (B, 3, 4, V)
        posed = (
            blend[:, :, 0] * rest[:, None, 0]
            + blend[:, :, 1] * rest[:, None, 1]
            + blend[:, :, 2] * rest[:, None, 2]
            + blend[:, :, 3]
        )
        return posed.transpose(1, 2).contiguous()
