"""From a mesh to the parameters of the body that made it, or comes closest."""

from typing import Any, NamedTuple

import roma
import torch
from torch import Tensor, nn

from mmd2a.body_models.build import build_body
from mmd2a.body_models.coarsening import coarsen_mesh
from mmd2a.body_models.fitting_jacobian import (
    BodyState,
    MovingPoints,
    PosedPoints,
)
from mmd2a.body_models.smpl import SMPLBodyModel
from mmd2a.geometry.rotations import matrix_to_axis_angle
from mmd2a.registry import MODELS

__all__ = ['BodyFit', 'BodyFitter', 'fit_smpl']

# Spread over the body, these see every joint; all vertices would cost ten
# times as much for the same parameters.
_NUM_POINTS = 400
# Own meshes are met to 0.02 mm after three steps; those of a model that has
# learnt little take many.
_NUM_STEPS = 20
# In nats of the objective below: 0.05 % of the distance per degree of freedom.
_TOLERANCE = 1e-3
# A predicted mesh is off in patches about as large as the parts of the body,
# each in three directions.
_DEGREES_OF_FREEDOM = 72
_OTHER_BODY = 'this body is {}, only SMPL is fitted: set body_fitter=None'
# m^2: nearer than 0.1 mm is as good as there.
_NEAR = 1e-8
# Of the diagonal, and m^2 per rad^2 or m^2 and point where that is nothing: a
# joint that moves no point.
_DAMPING, _FLOOR = 1e-3, 1e-8
_LESS, _MORE = 10, 30
# Samples whose Jacobians, 0.5 MB each, are formed together: few fit the cache
# of a CPU, other devices want many.
_CHUNK_CPU, _CHUNK = 16, 256


class BodyFit(NamedTuple):
    """Parameters of a body, and how near its mesh comes; S: shapes."""

    global_orient: Tensor
    """(B, 3) axis-angle, rad."""
    body_pose: Tensor
    """(B, 69) axis-angle, rad."""
    betas: Tensor
    """(B, S)."""
    transl: Tensor
    """(B, 3), m."""
    residual: Tensor
    """(B,) mean distance of corresponding vertices, m."""

    def parameters(self) -> dict[str, Tensor]:
        """All but the residual, ready for ``body_model(**parameters)``."""
        values = self._asdict()
        del values['residual']
        return values


@MODELS.register_module()
class BodyFitter(nn.Module):
    r"""Find the pose, shape and place whose mesh is nearest to a given one.

    .. math:: \min_{R, \beta, \tau} \; n \log \Bigl(\tfrac 1 K \sum_k
              \lVert v_k(R, \beta, \tau) - v_k \rVert^2 + \epsilon^2 \Bigr)
              + \lVert \beta \rVert^2

    over points spread evenly on the body: the most probable parameters when
    shapes are normal, as those of the body are, and the mesh is off by an
    unknown amount in n = 72 ways. A mesh of the body itself is met whatever
    its shape; one that is no body gets the shape of a person.

    Starts in closed form: every part of the rest mesh is registered to the
    same part of the given mesh (weighted Procrustes). Goes on with
    Levenberg-Marquardt steps whose derivatives are closed forms too
    (:class:`MovingPoints`), until they stop helping. A sample does not depend
    on the others of its batch.

    Any mesh with the vertices of the body will do, also one that no
    parameters make, such as that of
    :class:`~mmd2a.models.heads.CoarseMeshHead`; the residual says how far it
    is from being a body.

    B: batch, V: vertices, S: shape components, K: points. Metres, radians, in
    the frame of the mesh. Not differentiable.

    Args:
        body_model: body of the parameters wanted; instance or config.
        num_points: K.
        num_steps: steps after the closed form, at most.

    Marquardt, "An Algorithm for Least-Squares Estimation of Nonlinear
    Parameters", SIAM 1963.

    Example:
        >>> body = SMPLBodyModel()
        >>> fit = BodyFitter(body)(body.v_template[None])
        >>> tuple(fit.body_pose.shape), bool(fit.residual < 1e-4)
        ((1, 69), True)
    """

    vertex_ids: Tensor
    part_weights: Tensor
    part_points: Tensor

    def __init__(
        self,
        body_model: SMPLBodyModel | dict[str, Any] | None = None,
        num_points: int = _NUM_POINTS,
        num_steps: int = _NUM_STEPS,
    ) -> None:
        super().__init__()
        body = self.body_model = build_body(body_model)
        if body.family.has_hands:
            raise ValueError(_OTHER_BODY.format(body.family.name))
        self.num_steps = num_steps
        ids = torch.tensor(
            coarsen_mesh(
                body.v_template.double().cpu().numpy(),
                body.faces.cpu().numpy(),
                min(num_points, body.num_vertices),
            ).vertex_ids,
            device=body.v_template.device,
        )
        self.moving_points = MovingPoints(body, ids)
        weight = body.weights[ids].T ** 2  # (24, K)
        weight = weight / weight.sum(1, keepdim=True).clamp_min(1e-12)
        rest = body.v_template[ids]
        centred = rest - (weight @ rest)[:, None]
        buffers = dict(
            vertex_ids=ids,
            part_weights=weight,
            part_points=weight[..., None] * centred,  # (24, K, 3)
        )
        for name, value in buffers.items():
            self.register_buffer(name, value, persistent=False)

    @torch.no_grad()
    def forward(self, vertices: Tensor) -> BodyFit:
        """Fit the body to meshes (B, V, 3), m.

        A mesh with a NaN or infinite coordinate has NaN for everything.
        """
        if vertices.ndim != 3 or vertices.shape[1:] != (
            self.body_model.num_vertices,
            3,
        ):
            raise ValueError(
                f'vertices have shape {tuple(vertices.shape)}, '
                f'expected (B, {self.body_model.num_vertices}, 3)'
            )
        # Half precision would move a vertex by millimetres.
        with torch.autocast(vertices.device.type, enabled=False):
            target = vertices.detach().to(self.body_model.v_template)
            size = _CHUNK_CPU if target.device.type == 'cpu' else _CHUNK
            fits = [self._fit(chunk) for chunk in target.split(size)]
            return BodyFit(*(torch.cat(values) for values in zip(*fits)))

    @torch.no_grad()
    def parameters_of(self, output: dict[str, Tensor]) -> dict[str, Tensor]:
        """Complete what a mesh head gives by parameters and residual.

        Args:
            output: ``vertices`` (B, V, 3), m; and ``global_orient``
                (B, 1, 3, 3), ``body_pose`` (B, 23, 3, 3), ``betas`` (B, S) of
                a head that has them, such as
                :class:`~mmd2a.models.heads.SMPLHead`.

        Returns:
            dict[str, Tensor]: ``global_orient`` (B, 3), ``body_pose``
            (B, 69), axis-angle, ``betas`` (B, S), ``transl`` (B, 3), m, which
            pose the body of ``vertices``, and ``fit_residual`` (B,), m. The
            head's own are taken as they are, with the missing ``transl``.
        """
        vertices = output['vertices']
        if 'body_pose' not in output:
            fit = self(vertices)
            return fit.parameters() | dict(fit_residual=fit.residual)
        own = {k: output[k] for k in ('global_orient', 'body_pose', 'betas')}
        off = vertices - self.body_model(**own, pose_format='matrix').vertices
        transl = off.mean(1)
        for key in ('global_orient', 'body_pose'):
            own[key] = matrix_to_axis_angle(own[key]).flatten(1)
        residual = (off - transl[:, None]).norm(dim=-1).mean(1)
        return own | dict(transl=transl, fit_residual=residual)

    def _fit(self, target: Tensor) -> BodyFit:
        finite = target.isfinite().flatten(1).all(1)
        target = target.where(finite[:, None, None], 0.0)
        points = target[:, self.vertex_ids].mT.contiguous()
        # Far from the origin float32 is coarse.
        centre = points.mean(2, keepdim=True)
        points = points - centre
        state = self._refine(points, self._register_parts(points))
        pose = matrix_to_axis_angle(state.rotations)
        posed = self.body_model(
            state.rotations[:, :1],
            state.rotations[:, 1:],
            state.betas,
            state.transl,
            pose_format='matrix',
        ).vertices
        residual = (posed - (target - centre.mT)).norm(dim=-1).mean(1)
        fit = BodyFit(
            pose[:, 0],
            pose[:, 1:].flatten(1),
            state.betas,
            state.transl + centre[..., 0],
            residual,
        )
        return BodyFit(
            *(
                value.where(
                    finite.view(-1, *[1] * (value.ndim - 1)), torch.nan
                )
                for value in fit
            )
        )

    def _register_parts(self, target: Tensor) -> BodyState:
        """Turn each part of the template to its own; the mean shape."""
        batch, _, count = target.shape
        # Sum of w target (rest - mean)^T per part: (B, 24, 3, 3). The mean of
        # the target would add nothing.
        moment = target.flatten(0, 1) @ self.part_points.transpose(
            0, 1
        ).reshape(count, -1)
        moment = moment.view(batch, 3, len(self.part_points), 3).transpose(
            1, 2
        )
        world = roma.special_procrustes(moment) if batch else moment
        parents = list(self.body_model.parents[1:])
        local = world[:, parents].mT @ world[:, 1:]
        state = BodyState(
            torch.cat([world[:, :1], local], 1),
            target.new_zeros(batch, self.body_model.num_betas),
            target.new_zeros(batch, 3),
        )
        shift = (target - self.moving_points(state).points).mean(2)
        return state._replace(transl=shift)

    def _refine(self, target: Tensor, state: BodyState) -> BodyState:
        """Levenberg-Marquardt, all samples at once, each with its damping."""
        moving = self.moving_points
        shape = slice(-3 - self.body_model.num_betas, -3)
        count = target.shape[2]
        best = BodyState(*(value.clone() for value in state))
        active = torch.arange(len(target), device=target.device)
        damping = target.new_full((len(target), 1), _DAMPING)
        posed = moving(state)
        off, cost = _objective(target, posed, state)
        for _ in range(self.num_steps if len(target) else 0):
            slopes = moving.jacobian(state, posed).flatten(2)
            error = (target - posed.points).flatten(1)
            pull = (count / _DEGREES_OF_FREEDOM) * off[:, None]
            slope = (slopes @ error[..., None])[..., 0]
            slope[:, shape] -= pull * state.betas
            normal = slopes @ slopes.mT
            diagonal = normal.diagonal(dim1=1, dim2=2)
            diagonal[:, shape] += pull
            diagonal += damping * diagonal + _FLOOR * count
            factor, failed = torch.linalg.cholesky_ex(normal)
            step = torch.cholesky_solve(slope[..., None], factor)[..., 0]
            step = step.where(failed[:, None] == 0, 0.0)

            tried = moving.moved(state, posed, step)
            tried_posed = moving(tried)
            tried_off, tried_cost = _objective(target, tried_posed, tried)
            gain = cost - tried_cost
            better = gain > 0
            state = BodyState(*_choose(better, tried, state))
            posed = PosedPoints(*_choose(better, tried_posed, posed))
            off, cost = _choose(better, (tried_off, tried_cost), (off, cost))
            damping *= torch.where(better, 1 / _LESS, _MORE)[:, None]
            for value, new in zip(best, state):
                value[active] = new
            there = (off < 2 * _NEAR) | (
                better & (gain < _TOLERANCE * _DEGREES_OF_FREEDOM)
            )
            if there.any():
                left = ~there
                if not left.any():
                    break
                state = BodyState(*(value[left] for value in state))
                posed = PosedPoints(*(value[left] for value in posed))
                active, target, damping, off, cost = (
                    value[left]
                    for value in (active, target, damping, off, cost)
                )
        return best


def _objective(
    target: Tensor, posed: PosedPoints, state: BodyState
) -> tuple[Tensor, Tensor]:
    """Mean squared distance, m^2, and what is minimised: (B,) each."""
    distance = (target - posed.points).square().sum(1).mean(1) + _NEAR
    shape = state.betas.square().sum(1)
    return distance, _DEGREES_OF_FREEDOM * distance.log() + shape


def _choose(
    first: Tensor, ours: tuple[Tensor, ...], theirs: tuple[Tensor, ...]
) -> list[Tensor]:
    """Take the first or the second of each sample, by (B,)."""
    return [
        torch.where(first.view(-1, *[1] * (a.ndim - 1)), a, b)
        for a, b in zip(ours, theirs)
    ]


def fit_smpl(
    body_model: SMPLBodyModel, vertices: Tensor, num_steps: int = _NUM_STEPS
) -> dict[str, Tensor]:
    """Find the parameters whose mesh is nearest to the given one.

    One call of :class:`BodyFitter`, without its residual.

    B: batch, V: vertices, S: shape components.

    Args:
        body_model: body of the parameters wanted.
        vertices: meshes (B, V, 3), m, in the frame the parameters shall have.
        num_steps: steps after the closed form, at most.

    Returns:
        dict[str, Tensor]: ``global_orient`` (B, 3), ``body_pose`` (B, 69),
        axis-angle, rad, ``betas`` (B, S), ``transl`` (B, 3), m; detached,
        ready for ``body_model(**params)``.

    Raises:
        ValueError: vertices of another shape, or not finite.

    Example:
        >>> from mmd2a.body_models import SMPLBodyModel
        >>> body = SMPLBodyModel()
        >>> params = fit_smpl(body, body.v_template[None])
        >>> tuple(params['body_pose'].shape)
        (1, 69)
    """
    if not torch.isfinite(vertices).all():
        raise ValueError('vertices hold NaN or infinite values')
    fitter = BodyFitter(body_model, num_steps=num_steps)
    return fitter(vertices).parameters()
