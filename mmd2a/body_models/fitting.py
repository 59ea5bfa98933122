"""From a mesh to the parameters of the body that made it, or comes closest."""

from typing import NamedTuple

import roma
import torch
from torch import Tensor

from mmd2a.body_models.coarsening import coarsen_mesh
from mmd2a.body_models.smpl import SMPLBodyModel
from mmd2a.geometry.rotations import axis_angle_to_matrix, matrix_to_axis_angle

__all__ = ['fit_smpl']

# Spread over the body, these see every joint; all vertices would cost ten
# times as much for the same parameters.
_NUM_SAMPLES = 800
# m^2 per unit of beta^2 and vertex: 0.1 mm, below the noise of any predicted
# mesh. Settles what the mesh leaves open.
_SHAPE_PRIOR = 1e-8
_DAMPING = 1e-4
# Samples whose Jacobians are formed together: bounds the memory.
_CHUNK = 8


class _State(NamedTuple):
    rotations: Tensor  # (B, 24, 3, 3) relative to the parent
    betas: Tensor  # (B, S)
    transl: Tensor  # (B, 3)


def fit_smpl(
    body_model: SMPLBodyModel, vertices: Tensor, num_steps: int = 6
) -> dict[str, Tensor]:
    r"""Find the pose, shape and place whose mesh is nearest to the given one.

    .. math:: \min_{R, \beta, \tau} \tfrac 1 V
              \lVert v(R, \beta, \tau) - v \rVert^2
              + \lambda \lVert \beta \rVert^2

    Starts in closed form: every part of the rest mesh is registered to the
    same part of the given mesh (weighted Procrustes). Goes on with
    Levenberg-Marquardt steps on evenly spread vertices, the rotations updated
    by :math:`R \to R \exp(\delta)`; a step that does not help a sample is not
    taken for it.

    B: batch, V: vertices, S: shape components.

    Args:
        body_model: body of the parameters wanted.
        vertices: meshes (B, V, 3), m, in the frame the parameters shall have.
        num_steps: steps after the closed form.

    Returns:
        dict[str, Tensor]: ``global_orient`` (B, 3), ``body_pose`` (B, 69),
        axis-angle, rad, ``betas`` (B, S), ``transl`` (B, 3), m; detached,
        ready for ``body_model(**params)``.

    Marquardt, "An Algorithm for Least-Squares Estimation of Nonlinear
    Parameters", SIAM 1963.

    Example:
        >>> from mmd2a.body_models import SMPLBodyModel
        >>> body = SMPLBodyModel()
        >>> params = fit_smpl(body, body.v_template[None])
        >>> tuple(params['body_pose'].shape)
        (1, 69)
    """
    if vertices.ndim != 3 or vertices.shape[1:] != (
        body_model.num_vertices,
        3,
    ):
        raise ValueError(
            f'vertices have shape {tuple(vertices.shape)}, '
            f'expected (B, {body_model.num_vertices}, 3)'
        )
    if not torch.isfinite(vertices).all():
        raise ValueError('vertices hold NaN or infinite values')
    target = vertices.detach().to(body_model.v_template)
    with torch.no_grad():
        state = _register_parts(body_model, target)
        if num_steps and len(target):
            ids = torch.tensor(
                coarsen_mesh(
                    body_model.v_template.double().cpu().numpy(),
                    body_model.faces.cpu().numpy(),
                    min(_NUM_SAMPLES, body_model.num_vertices),
                ).vertex_ids,
                device=target.device,
            )
            state = _refine(
                body_model.at_vertices(ids), target[:, ids], state, num_steps
            )
        pose = matrix_to_axis_angle(state.rotations)
    return dict(
        global_orient=pose[:, 0],
        body_pose=pose[:, 1:].flatten(1),
        betas=state.betas,
        transl=state.transl,
    )


def _register_parts(body: SMPLBodyModel, target: Tensor) -> _State:
    """Place each part of the template rigidly; the shape stays the mean."""
    weight = body.weights.T**2  # (24, V)
    weight = weight / weight.sum(1, keepdim=True)
    rest, batch = body.v_template, len(target)
    rest_mean, target_mean = weight @ rest, weight @ target
    # Sum of w (target - mean) (rest - mean)^T per part: (B, 24, 3, 3).
    moment = torch.einsum('jv,bvx,vy->bjxy', weight, target, rest)
    moment = moment - target_mean[..., :, None] * rest_mean[:, None, :]
    world = roma.special_procrustes(moment) if batch else moment
    local = [world[:, 0]]
    for joint, parent in enumerate(body.parents[1:], start=1):
        local.append(world[:, parent].transpose(1, 2) @ world[:, joint])
    rotations = torch.stack(local, 1)
    betas = target.new_zeros(batch, body.num_betas)
    posed = _pose(body, _State(rotations, betas, target.new_zeros(batch, 3)))
    return _State(rotations, betas, (target - posed).mean(1))


def _pose(body: SMPLBodyModel, state: _State) -> Tensor:
    return body(
        state.rotations[:, :1],
        state.rotations[:, 1:],
        state.betas,
        state.transl,
        pose_format='matrix',
    ).vertices


def _moved(state: _State, step: Tensor) -> _State:
    """Take a step (B, 72 + S + 3)."""
    turn = axis_angle_to_matrix(step[:, :72].unflatten(1, (24, 3)))
    return _State(
        state.rotations @ turn,
        state.betas + step[:, 72:-3],
        state.transl + step[:, -3:],
    )


def _refine(
    body: SMPLBodyModel, target: Tensor, state: _State, num_steps: int
) -> _State:
    """Levenberg-Marquardt, all samples at once, each with its damping."""
    size = 72 + state.betas.shape[1] + 3
    prior = target.new_zeros(size)
    prior[72:-3] = _SHAPE_PRIOR * target.shape[1]

    def residual(step: Tensor, *parts: Tensor) -> Tensor:
        one = _State(*(part[None] for part in parts))
        return _pose(body, _moved(one, step[None]))[0].flatten()

    jacobian_of = torch.func.vmap(
        torch.func.jacfwd(residual), chunk_size=_CHUNK
    )
    zero = target.new_zeros(len(target), size)
    damping = target.new_full((len(target), 1), _DAMPING)
    error = target.flatten(1) - _pose(body, state).flatten(1)
    cost = _cost(error, state.betas, prior)
    for _ in range(num_steps):
        jacobian = jacobian_of(zero, *state)
        normal = jacobian.transpose(1, 2) @ jacobian + torch.diag(prior)
        slope = (error[:, None] @ jacobian)[:, 0]
        slope[:, 72:-3] -= prior[72:-3] * state.betas
        ridge = damping * normal.diagonal(dim1=1, dim2=2)
        step = torch.linalg.solve(normal + torch.diag_embed(ridge), slope)
        tried = _moved(state, step)
        tried_error = target.flatten(1) - _pose(body, tried).flatten(1)
        tried_cost = _cost(tried_error, tried.betas, prior)
        better = tried_cost < cost
        state = _State(
            *(
                torch.where(better.view(-1, *[1] * (new.ndim - 1)), new, old)
                for new, old in zip(tried, state)
            )
        )
        error = torch.where(better[:, None], tried_error, error)
        cost = torch.where(better, tried_cost, cost)
        damping = torch.where(better[:, None], damping / 10, damping * 10)
    return state


def _cost(error: Tensor, betas: Tensor, prior: Tensor) -> Tensor:
    return error.square().sum(1) + (prior[72:-3] * betas.square()).sum(1)
