"""The body layer: pose and shape parameters to a mesh, by skinning."""

import copy
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mmd2a.body_models import joint_sets
from mmd2a.body_models.body_file import (
    BodyFileError,
    read_body_file,
    read_regressor,
)
from mmd2a.body_models.embedded import load_embedded_body
from mmd2a.geometry.rotations import axis_angle_to_matrix
from mmd2a.registry import MODELS

__all__ = ['BodyOutput', 'SMPLBodyModel']


class BodyOutput(NamedTuple):
    """A posed body: ``vertices`` (B, V, 3) and ``joints`` (B, 24, 3), m."""

    vertices: Tensor
    joints: Tensor


@MODELS.register_module()
class SMPLBodyModel(nn.Module):
    r"""Pose and shape a body of the SMPL family by linear blend skinning.

    .. math::
        \bar v &= t + S \beta + P \operatorname{vec}(R_{1..23} - I) \\
        v &= \sum_j w_j \, G_j(R, J(\beta)) \, \bar v + \tau

    with template :math:`t`, shape directions :math:`S`, pose directions
    :math:`P`, skinning weights :math:`w`, rest joints
    :math:`J(\beta) = \mathcal J (t + S\beta)` and :math:`G_j` the rigid motion
    of joint j along the kinematic tree.

    B: batch, V: vertices, F: faces, J: joints of a set, S: shape components.

    The rest frame is that of SMPL (y up, facing +z); ``global_orient`` and
    ``transl`` take the body straight to the OpenCV camera frame. Metres,
    radians. All arrays are non-persistent buffers: a checkpoint never holds a
    body. Computes in the precision of the buffers, also under autocast.

    Args:
        path: SMPL-format npz (see :func:`read_body_file`). None: the body
            that comes with the package.
        num_betas: number of shape components S used.
        joint_regressors: further regressors, joint set -> npy file (J, V).
            SMPL files hold none for ``'h36m14'`` and ``'coco17'``.

    Loper et al., "SMPL: A Skinned Multi-Person Linear Model", SIGGRAPH Asia
    2015.

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
    parents: tuple[int, ...] = joint_sets.SMPL_PARENTS

    def __init__(
        self,
        path: str | Path | None = None,
        num_betas: int = 10,
        joint_regressors: Mapping[str, str | Path] | None = None,
    ) -> None:
        super().__init__()
        arrays = load_embedded_body() if path is None else read_body_file(path)
        self.path = None if path is None else str(path)
        available = arrays['shapedirs'].shape[2]
        if not 1 <= num_betas <= available:
            raise BodyFileError(
                f'num_betas={num_betas}, but the body '
                f'{path or "that comes with the package"} has {available} '
                f'shape components'
            )
        self.num_betas = num_betas
        regressors = {'smpl24': arrays['J_regressor']}
        for name in joint_sets.JOINT_SETS:
            if f'{name}_regressor' in arrays:
                regressors[name] = arrays[f'{name}_regressor']
        for name, file in (joint_regressors or {}).items():
            regressors[name] = read_regressor(
                name, file, len(arrays['v_template'])
            )
        self.joint_sets = tuple(regressors)
        self._register(arrays, regressors)

    def _register(
        self, arrays: dict[str, np.ndarray], regressors: dict[str, np.ndarray]
    ) -> None:
        template = arrays['v_template']
        shapedirs = arrays['shapedirs'][:, :, : self.num_betas]
        # Coordinates as planes (3, V): the sums of skinning then run over
        # contiguous memory.
        buffers = {
            'v_template': template,
            'faces': arrays['f'].astype(np.int64),
            'weights': arrays['weights'],
            'part_labels': arrays['part_labels'],
            '_template_planes': template.T.reshape(-1),
            '_shape_planes': shapedirs.transpose(2, 1, 0).reshape(
                self.num_betas, -1
            ),
            '_pose_planes': arrays['posedirs']
            .transpose(2, 1, 0)
            .reshape(arrays['posedirs'].shape[2], -1),
            # J(beta) is affine in beta too; its products are formed in
            # float64 once instead of in every call.
            '_joint_template': regressors['smpl24'].astype(np.float64)
            @ template.astype(np.float64),
            '_joint_shapedirs': np.einsum(
                'jv,vcs->sjc',
                regressors['smpl24'].astype(np.float64),
                shapedirs.astype(np.float64),
                optimize=True,
            ),
            **{
                f'_regressor_{name}': matrix
                for name, matrix in regressors.items()
            },
        }
        for name, value in buffers.items():
            if value.dtype.kind == 'f':
                value = value.astype(np.float32)
            self.register_buffer(
                name,
                torch.from_numpy(np.ascontiguousarray(value)),
                persistent=False,
            )

    @property
    def num_vertices(self) -> int:
        """Number of vertices V."""
        return len(self.v_template)

    @property
    def num_joints(self) -> int:
        """Number of joints of the kinematic tree."""
        return len(self.parents)

    def forward(
        self,
        global_orient: Tensor,
        body_pose: Tensor,
        betas: Tensor,
        transl: Tensor | None = None,
        pose_format: str = 'axis_angle',
    ) -> BodyOutput:
        """Pose the body.

        Args:
            global_orient: root orientation, (B, 3) axis-angle or
                (B, 1, 3, 3) matrices.
            body_pose: joint rotations relative to their parents, (B, 69)
                axis-angle or (B, 23, 3, 3) matrices.
            betas: shape coefficients (B, S).
            transl: translation (B, 3), m; None: zero.
            pose_format: ``'axis_angle'`` or ``'matrix'``, for both rotation
                arguments.
        """
        dtype = self.v_template.dtype
        # Half precision would move a vertex by millimetres.
        with torch.autocast(betas.device.type, enabled=False):
            rotations = self._rotations(
                global_orient.to(dtype), body_pose.to(dtype), pose_format
            )
            self._check_inputs(rotations, betas, transl)
            betas = betas.to(dtype)
            rest_joints = self._joint_template + torch.tensordot(
                betas, self._joint_shapedirs, 1
            )
            eye = torch.eye(3, dtype=dtype, device=rotations.device)
            pose_feature = (rotations[:, 1:] - eye).flatten(1)
            rest = torch.addmm(
                self._template_planes, betas, self._shape_planes
            )
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
        for name in ('_template_planes', '_shape_planes', '_pose_planes'):
            planes = getattr(self, name).unflatten(-1, (3, -1))
            part._buffers[name] = planes[..., ids].flatten(-2)
        for name in ('faces', *(f'_regressor_{s}' for s in self.joint_sets)):
            del part._buffers[name]
        part.joint_sets = ()
        return part

    def joint_names(self, joint_set: str) -> tuple[str, ...]:
        """Names of the joints of a set, in order."""
        return joint_sets.joint_names(joint_set)

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
            f'path={self.path!r}, num_vertices={self.num_vertices}, '
            f'num_betas={self.num_betas}, joint_sets={self.joint_sets}'
        )

    def _regressor(self, joint_set: str) -> Tensor:
        joint_sets.joint_names(joint_set)
        if joint_set not in self.joint_sets:
            raise KeyError(
                f'the body {self.path} has no regressor for {joint_set!r}, '
                f'only {", ".join(self.joint_sets)}. Pass '
                f"joint_regressors=dict({joint_set}='FILE.npy') with an array "
                f'({len(joint_sets.JOINT_SETS[joint_set])}, '
                f'{self.num_vertices}), or add it to the npz as '
                f"'{joint_set}_regressor'."
            )
        return getattr(self, f'_regressor_{joint_set}')

    def _rotations(
        self, global_orient: Tensor, body_pose: Tensor, pose_format: str
    ) -> Tensor:
        """Check both rotation arguments and join them: (B, 24, 3, 3)."""
        tails = {
            'axis_angle': ((3,), (69,)),
            'matrix': ((1, 3, 3), (23, 3, 3)),
        }
        if pose_format not in tails:
            raise ValueError(
                f"pose_format must be 'axis_angle' or 'matrix', "
                f'not {pose_format!r}'
            )
        named = (('global_orient', global_orient), ('body_pose', body_pose))
        for (name, value), tail in zip(named, tails[pose_format]):
            if value.shape[1:] != tail:
                shape = ', '.join(map(str, ('B', *tail)))
                raise ValueError(
                    f'{name} has shape {tuple(value.shape)}, expected '
                    f'({shape}) with pose_format={pose_format!r}'
                )
        if pose_format == 'matrix':
            return torch.cat([global_orient, body_pose], 1)
        pose = torch.cat([global_orient, body_pose], 1)
        return axis_angle_to_matrix(pose.unflatten(1, (-1, 3)))

    def _check_inputs(
        self, rotations: Tensor, betas: Tensor, transl: Tensor | None
    ) -> None:
        batch = rotations.shape[0]  # len() would fix it in exports
        if betas.shape != (batch, self.num_betas):
            raise ValueError(
                f'betas have shape {tuple(betas.shape)}, '
                f'expected ({batch}, {self.num_betas})'
            )
        if transl is not None and transl.shape != (batch, 3):
            raise ValueError(
                f'transl has shape {tuple(transl.shape)}, '
                f'expected ({batch}, 3)'
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
