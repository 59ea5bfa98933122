"""Points of a posed body, and how they move with its parameters."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmd2a.body_models.smpl import SMPLBodyModel
from mmd2a.geometry.rotations import axis_angle_to_matrix

__all__ = ['BodyState', 'MovingPoints', 'PosedPoints']


class BodyState(NamedTuple):
    """Parameters while they are sought; J = 24 joints, S shape components."""

    rotations: Tensor
    """(B, J, 3, 3) relative to the parent."""
    betas: Tensor
    """(B, S)."""
    transl: Tensor
    """(B, 3), m."""


class PosedPoints(NamedTuple):
    """Points of a state, and the motions that took them there."""

    points: Tensor
    """(B, 3, K), m: coordinates as planes."""
    rest: Tensor
    """(B, 3, K) before skinning, m."""
    blend: Tensor
    """(B, 3, 3, K) blended rotations."""
    turns: Tensor
    """(B, J, 3, 3) rotations of the joints to the frame of the points."""
    shifts: Tensor
    """(B, J, 3): the motion of joint j is x -> turn x + shift."""
    joints: Tensor
    """(B, J, 3) without the translation, m."""


class MovingPoints(nn.Module):
    r"""Some vertices of a body, with their derivatives in closed form.

    A turn of joint j by a small :math:`\omega`, in the frame of the points,
    carries along what hangs on j, so

    .. math:: \frac{\partial v}{\partial \omega_j} \omega =
              \omega \times \sum_{k \in \text{below}(j)} w_k (G_k \bar v - p_j)
              + L \, P_j \operatorname{vec}
              (R_j [W_j^\top \omega]_\times)

    with the motions :math:`G_k` and turns :math:`W_k` of the joints, their
    places :math:`p_j`, the blended turn :math:`L = \sum_k w_k W_k` and the
    pose directions :math:`P_j`. The first term would be all of it for a body
    without pose directions.

    B: batch, J = 24: joints, S: shape components, K: points,
    D = 3 J + S + 3: unknowns, in the order turns, betas, translation.

    Args:
        body_model: body.
        vertex_ids: (K,) which of its vertices.

    Example:
        >>> points = MovingPoints(SMPLBodyModel(), torch.arange(5))
        >>> state = BodyState(torch.eye(3).expand(2, 24, 3, 3),
        ...                   torch.zeros(2, 10), torch.zeros(2, 3))
        >>> points.jacobian(state, points(state)).shape
        torch.Size([2, 85, 3, 5])
    """

    weights: Tensor
    below: Tensor
    weights_below: Tensor
    shapedirs: Tensor
    posedirs: Tensor

    def __init__(self, body_model: SMPLBodyModel, vertex_ids: Tensor) -> None:
        super().__init__()
        self.body = body_model.at_vertices(vertex_ids)
        self.parents = self.body.parents
        below = torch.eye(len(self.parents)).to(self.body.weights)
        for joint in range(len(self.parents) - 1, 0, -1):
            below[self.parents[joint]] += below[joint]
        weights = self.body.weights.T.contiguous()
        split = (-1, 3, len(vertex_ids))
        buffers = dict(
            weights=weights,
            below=below,
            weights_below=below @ weights,
            shapedirs=self.body._shape_planes.view(split),
            posedirs=self.body._pose_planes.view(len(self.parents) - 1, 9, -1),
        )
        for name, value in buffers.items():
            self.register_buffer(name, value, persistent=False)

    @property
    def num_unknowns(self) -> int:
        """Number of unknowns D."""
        return 3 * len(self.parents) + len(self.shapedirs) + 3

    def forward(self, state: BodyState) -> PosedPoints:
        """Pose the points."""
        body = self.body
        rotations, betas, transl = state
        rest_joints = body._joint_template + torch.tensordot(
            betas, body._joint_shapedirs, 1
        )
        eye = torch.eye(3).to(rotations)
        rest = torch.addmm(body._template_planes, betas, body._shape_planes)
        rest = torch.addmm(
            rest, (rotations[:, 1:] - eye).flatten(1), body._pose_planes
        ).unflatten(1, (3, -1))
        joints, motions = body._kinematics(rotations, rest_joints)
        turns, shifts = motions[..., :3], motions[..., 3]
        blend = turns.flatten(2).transpose(1, 2) @ self.weights
        blend = blend.unflatten(1, (3, 3))
        points = (
            torch.einsum('bxyk,byk->bxk', blend, rest)
            + shifts.transpose(1, 2) @ self.weights
            + transl[..., None]
        )
        return PosedPoints(points, rest, blend, turns, shifts, joints)

    def jacobian(self, state: BodyState, posed: PosedPoints) -> Tensor:
        """Derivatives of the points by the unknowns: (B, D, 3, K)."""
        batch, _, count = posed.points.shape
        num_turns = 3 * len(self.parents)
        out = posed.points.new_empty(batch, self.num_unknowns, 3, count)
        turned = out[:, :num_turns].unflatten(1, (-1, 3))
        turned[:, 0] = 0  # the root has no pose directions
        _turn_by(posed.blend, self._pose_slopes(state, posed), turned[:, 1:])
        arms = self._arms(posed)
        for axis, (first, second) in enumerate(((1, 2), (2, 0), (0, 1))):
            # The axis times the arm, a cross product.
            turned[:, :, axis, first] -= arms[:, :, second]
            turned[:, :, axis, second] += arms[:, :, first]
        shaped = out[:, num_turns:-3]
        _turn_by(posed.blend, self.shapedirs[None, None], shaped[:, None])
        shaped += self._joint_slopes(posed)
        out[:, -3:] = torch.eye(3).to(out)[..., None]
        return out

    def moved(
        self, state: BodyState, posed: PosedPoints, step: Tensor
    ) -> BodyState:
        """Take a step (B, D) from a state, which stays one of rotations."""
        num_turns = 3 * len(self.parents)
        turns, betas, transl = step.split(
            (num_turns, len(self.shapedirs), 3), 1
        )
        # From the frame of the points to that of each joint.
        turns = turns.unflatten(1, (-1, 1, 3)) @ posed.turns
        return BodyState(
            state.rotations @ axis_angle_to_matrix(turns[:, :, 0]),
            state.betas + betas,
            state.transl + transl,
        )

    def _arms(self, posed: PosedPoints) -> Tensor:
        """What hangs on each joint, from there: (B, J, 3, K)."""
        carried = (posed.turns.flatten(1, 2) @ posed.rest).unflatten(
            1, (-1, 3)
        )
        carried = (carried + posed.shifts[..., None]) * self.weights[:, None]
        arms = (self.below @ carried.flatten(2)).view_as(carried)
        return arms.sub_(posed.joints[..., None] * self.weights_below[:, None])

    def _pose_slopes(self, state: BodyState, posed: PosedPoints) -> Tensor:
        """Rest points by the turns of all but the root: (B, 23, 3, 3, K)."""
        turned = state.rotations[:, 1:, None] @ _skew(posed.turns[:, 1:])
        slopes = torch.einsum(
            'bjan,jnm->bjam', turned.flatten(3), self.posedirs
        )
        return slopes.unflatten(3, (3, -1))

    def _joint_slopes(self, posed: PosedPoints) -> Tensor:
        """Points by betas, as far as joints move: (B, S, 3, K)."""
        slopes = self.body._joint_shapedirs.transpose(0, 1)  # (J, S, 3)
        parents = list(self.parents[1:])
        bones = (slopes[1:] - slopes[parents]) @ posed.turns[:, parents].mT
        bones = torch.cat(
            [slopes[:1].expand(len(bones), -1, -1, -1), bones], 1
        )
        # A joint is where the bones above it lead.
        places = (self.below.T @ bones.flatten(2)).view_as(bones)
        shifts = places - slopes @ posed.turns.mT
        return (shifts.flatten(2).mT @ self.weights).unflatten(1, (-1, 3))


def _turn_by(blend: Tensor, vectors: Tensor, out: Tensor) -> None:
    """Turn vectors (B, M, N, 3, K), written to out, by blend (B, 3, 3, K)."""
    blend = blend[:, None, None]
    torch.mul(blend[..., 0, :], vectors[..., None, 0, :], out=out)
    for axis in (1, 2):
        out.addcmul_(blend[..., axis, :], vectors[..., None, axis, :])


def _skew(vectors: Tensor) -> Tensor:
    """Cross products as matrices: (..., 3) -> (..., 3, 3)."""
    x, y, z = vectors.unbind(-1)
    zero = torch.zeros_like(x)
    rows = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1)
    return rows.unflatten(-1, (3, 3))
