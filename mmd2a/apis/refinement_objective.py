"""What refining makes small: reprojection, and the density of a prediction."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmd2a.apis.person_mesh import PersonMesh
from mmd2a.body_models import BodyFitter, SMPLBodyModel
from mmd2a.geometry import axis_angle_to_matrix, project_points, root_position

__all__ = ['Evidence', 'RefinedState', 'RefinementObjective']

# A mesh is off in patches about as large as the parts of the body.
_PATCHES = 24
_MESH_POINTS = 100
# Keypoints of detectors slip now and then: Student t of so many degrees.
_SLIPS = 4.0
# Roots of the shipped model are off so far across the ray of their pixel, m,
# and along it, of the distance (tools/analysis/fit_view_tails.py).
_ACROSS, _ALONG = 0.1, 0.15
# m: nearer to the camera nothing is projected.
_NEAREST = 0.1


class Evidence(NamedTuple):
    """What is known of people; B: people, J: keypoints, P: points."""

    keypoints2d: Tensor
    """(B, J, 2), pixels; 0 where the score is."""
    scores: Tensor
    """(B, J)."""
    pixel_sigma: Tensor
    """(B,) standard deviation of a keypoint along an axis, pixels."""
    K: Tensor
    """(B, 3, 3), pixels."""
    mean: Tensor
    """(B, P, 3) predicted points relative to the root, m."""
    sigma: Tensor
    """(B, P, 3) standard deviation of these, m."""
    root: Tensor
    """(B, 3) predicted root, m."""


class RefinedState(NamedTuple):
    """Parameters while they are sought; S: shape components."""

    turns: Tensor
    """(B, 24, 3) axis-angle, relative to where each joint started."""
    betas: Tensor
    """(B, S)."""
    transl: Tensor
    """(B, 3), m."""


class RefinementObjective:
    r"""Negative log posterior of a body, of keypoints and of a prediction.

    .. math:: E = \sum_j c_j\, \rho\Bigl(\frac{\pi_K(x_j) - k_j}{s}\Bigr)
              - \frac{24}{P} \sum_p \log p(x_p)
              + \tfrac 1 2 \lVert \beta \rVert^2 + E_{root}

    with keypoints k of scores c, ρ the negative logarithm of a Student t
    density of 4 degrees of freedom, and p the density that the model
    predicted of joints and of points all over the mesh: its flow about mean
    and sigma, or without one a Gaussian. Points of a part are off together,
    so they count as 24 and not as P. The root may move across the ray of its
    pixel by 0.1 m and along it by 15 % of its distance, standard deviations
    of a Gaussian.

    Args:
        body_fitter: whose body is posed.
        joint_set: of the keypoints.
        predicted_set: of the joints of the prediction.
        root_ids: of these, whose mean is the root.
        flow_head: density of a model, in mode 'exact', 3-D; None: Gaussian.
    """

    def __init__(
        self,
        body_fitter: BodyFitter,
        joint_set: str,
        predicted_set: str,
        root_ids: Sequence[int],
        flow_head: Any = None,
    ) -> None:
        body = body_fitter.body_model
        self.flow_head, self.root_ids = flow_head, list(root_ids)
        self.predicted_set = predicted_set
        regressors = [
            body._regressor(name) for name in (joint_set, predicted_set)
        ]
        step = max(1, len(body_fitter.vertex_ids) // _MESH_POINTS)
        self.mesh_ids = body_fitter.vertex_ids[::step]
        counted = torch.cat(regressors).any(0)
        self.read_ids = counted.nonzero()[:, 0]
        ids = torch.cat([self.read_ids, self.mesh_ids])
        self.body: SMPLBodyModel = body.at_vertices(ids)
        self.read_keypoints, self.read_joints = (
            each[:, counted] for each in regressors
        )

    def evidence(
        self,
        people: Sequence[PersonMesh],
        keypoints2d: NDArray,
        scores: NDArray,
        pixel_sigma: NDArray,
    ) -> Evidence:
        """Collect what is known of people."""
        ids = self.mesh_ids.cpu().numpy()
        mean, sigma = [], []
        for person in people:
            assert person.sigma is not None
            assert person.keypoints3d_sigma is not None
            mesh_sigma = np.repeat(person.sigma[ids, None], 3, 1)
            mean.append(np.r_[person.keypoints3d, person.vertices[ids]])
            sigma.append(np.r_[person.keypoints3d_sigma, mesh_sigma])
        known = scores > 0
        values = (
            np.where(known[..., None], keypoints2d, 0.0),
            np.where(known, scores, 0.0),
            pixel_sigma,
            np.stack([person.K for person in people]),
            np.stack(mean),
            np.stack(sigma),
            np.stack([person.transl for person in people]),
        )
        like = self.body.v_template
        return Evidence(*(torch.as_tensor(v).to(like) for v in values))

    def points(
        self, state: RefinedState, start: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Keypoints (B, J, 3), root-relative points (B, P, 3), root (B, 3).

        Args:
            state: B people.
            start: (B, 24, 3, 3) rotations that the turns are relative to.
        """
        rotations = start @ axis_angle_to_matrix(state.turns)
        posed = self.body(
            rotations[:, :1],
            rotations[:, 1:],
            state.betas,
            state.transl,
            pose_format='matrix',
        ).vertices
        read, mesh = posed.tensor_split([len(self.read_ids)], 1)
        joints = self.read_joints @ read
        root = root_position(joints, self.root_ids)
        relative = torch.cat([joints, mesh], 1) - root
        return self.read_keypoints @ read, relative, root[:, 0]

    def keypoints_of(self, vertices: Tensor) -> Tensor:
        """Keypoints (B, J, 3) of any mesh (B, V, 3) of the body."""
        return self.read_keypoints @ vertices[:, self.read_ids]

    def __call__(
        self, known: Evidence, state: RefinedState, start: Tensor
    ) -> Tensor:
        """E (B,), nats up to a constant."""
        return self.energy(known, *self.points(state, start), state.betas)

    def energy(
        self,
        known: Evidence,
        keypoints3d: Tensor,
        points: Tensor,
        root: Tensor,
        betas: Tensor,
    ) -> Tensor:
        """E (B,) of keypoints, points and root that were posed before."""
        away = self.off(known, keypoints3d) / known.pixel_sigma[:, None]
        slips = (_SLIPS + 2) / 2 * torch.log1p(away.square() / _SLIPS)
        return (
            (known.scores * slips).sum(1)
            + _PATCHES * self.surprise(known, points).mean(1)
            + betas.square().sum(1) / 2
            + _off_root(known.root, root)
        )

    def off(self, known: Evidence, keypoints3d: Tensor) -> Tensor:
        """Distance (B, J) of projected keypoints to those found, pixels."""
        # Whoever steps behind the camera is pushed out again by the root.
        ahead = keypoints3d[..., 2:].clamp_min(_NEAREST)
        placed = torch.cat([keypoints3d[..., :2], ahead], -1)
        seen = project_points(placed, known.K)
        square = (seen - known.keypoints2d).square().sum(-1)
        return (square + 1e-12).sqrt()

    def surprise(self, known: Evidence, points: Tensor) -> Tensor:
        """-log p (B, P) of points, nats."""
        if self.flow_head is None:
            away = (points - known.mean) / known.sigma
            return away.square().sum(-1) / 2 + (
                known.sigma.log().sum(-1) + 1.5 * math.log(2 * math.pi)
            )
        head = self.flow_head
        return head.loss_module.per_point(
            known.mean, known.sigma, points, head.flow
        )


def _off_root(predicted: Tensor, root: Tensor) -> Tensor:
    """E_root (B,) of a root that was predicted elsewhere, (B, 3) both."""
    distance = predicted.norm(dim=1, keepdim=True)
    away = root - predicted
    along = (away * predicted).sum(1, keepdim=True) / distance
    across = away.square().sum(1) - along[:, 0].square()
    far = (along / (_ALONG * distance))[:, 0]
    return (far.square() + across / _ACROSS**2) / 2
