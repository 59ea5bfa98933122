"""Predictions as parameters of another body: the one that a user has."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from mmd2a.apis.errors import InputError
from mmd2a.apis.person_mesh import PersonMesh
from mmd2a.apis.target_bodies import SMPLBody, TargetBody, target_body
from mmd2a.body_models import BodyFit, BodyFitter

__all__ = ['BodyTransfer', 'fit_to_body']

# m: how near joints are to be met; 1 rad from the start of a pose, or 1 of
# the spread of a shape, count as much as that.
_JOINT_SIGMA = 0.005
_STEPS, _TOLERANCE = 200, 1e-9


class BodyTransfer(NamedTuple):
    """People as another body; N: people, V: vertices of that body.

    Attributes:
        parameters: by the names of that body, (N, ...), camera frame; they
            pose ``vertices``.
        vertices: (N, V, 3) camera frame, m.
        residual: (N,) mean distance of what corresponds, m.
        by: ``'vertices'`` or ``'joints'``: what corresponds.
    """

    parameters: dict[str, NDArray[np.float32]]
    vertices: NDArray[np.float32]
    residual: NDArray[np.float32]
    by: str


@torch.inference_mode(False)
def fit_to_body(
    people: Sequence[PersonMesh],
    body: Any,
    correspondence: tuple[ArrayLike, ArrayLike] | None = None,
    body_fitter: BodyFitter | None = None,
) -> BodyTransfer:
    r"""Find the parameters of any body that come nearest to predicted people.

    - A body of the same vertices, or with a ``correspondence``, is fitted to
      the mesh by :class:`~mmd2a.body_models.BodyFitter`.
    - Any other is fitted to the joints that it shares with SMPL's kinematic
      tree, by L-BFGS, from the pose of the SMPL body nearest to the mesh:

      .. math:: \min_\theta \sum_j \frac{\lVert x_j(\theta) - y_j \rVert^2}
                {2 s^2} + \tfrac 1 2 \lVert \theta - \theta_0 \rVert^2,
                \qquad s = 5\,\mathrm{mm}

      without the second term for its place. Joints do not tell how limbs turn
      about themselves, nor the shape of flesh: there the start is kept.

    N: people, V: vertices of the target, W: of the predictions.

    Args:
        people: with meshes of one body.
        body: the target: an :class:`~mmd2a.body_models.SMPLBodyModel`, the
            path of a file of one, or a model of the package ``body-models``
            (torch runtime, axis-angle).
        correspondence: for a target of SMPL's format and another topology:
            (V, 3) vertices of the predictions and (V, 3) barycentric weights
            of the points that its vertices lie on.
        body_fitter: of the body of the predictions; None: the embedded one.

    Raises:
        InputError: people of another body than the fitter's, no body, or a
            correspondence that does not fit.
        BodyFileError: a file that cannot be used.

    Example:
        >>> from mmd2a.apis import MeshInferencer
        >>> from mmd2a.body_models import EMBEDDED_BODY_PATH
        >>> [result] = MeshInferencer()('docs/images/balancing.jpg')
        >>> done = fit_to_body(result['predictions'][0], EMBEDDED_BODY_PATH)
        >>> done.by, sorted(done.parameters)
        ('vertices', ['betas', 'body_pose', 'global_orient', 'transl'])
    """
    target = target_body(body)
    source = body_fitter or BodyFitter()
    meshes = _meshes(people, source)
    if correspondence is not None:
        points = _corresponding(meshes, correspondence, target)
        return _by_vertices(points, target)
    if _same_topology(target, source):
        return _by_vertices(meshes, target)
    fit = source(meshes)
    joints = source.body_model(**fit.parameters()).joints
    return _by_joints(fit, joints, target)


def _meshes(people: Sequence[PersonMesh], source: BodyFitter) -> Tensor:
    """Meshes (N, W, 3) before the camera."""
    count = source.body_model.num_vertices
    for index, person in enumerate(people):
        if len(person.vertices) != count:
            raise InputError(
                f'person {index} has {len(person.vertices)} vertices, but the '
                f'body {count}: give a body_fitter of its body'
            )
    meshes = np.zeros((0, count, 3), np.float32)
    if people:
        meshes = np.stack([p.vertices + p.transl for p in people])
    return torch.from_numpy(meshes).to(source.body_model.v_template)


def _same_topology(target: TargetBody, source: BodyFitter) -> bool:
    if not isinstance(target, SMPLBody):
        return False
    ours, theirs = source.body_model, target.body
    return theirs.faces.shape == ours.faces.shape and bool(
        (theirs.faces == ours.faces).all()
    )


def _corresponding(
    meshes: Tensor, correspondence: tuple[ArrayLike, ArrayLike], target: Any
) -> Tensor:
    """Where vertices of the target should be, (N, V, 3)."""
    ids, weights = (np.asarray(each) for each in correspondence)
    shape = (target.num_vertices, 3)
    if not isinstance(target, SMPLBody):
        raise InputError(
            'a correspondence is for bodies of the format of SMPL: leave it '
            'out, or give such a body'
        )
    if ids.shape != shape or weights.shape != shape:
        raise InputError(
            f'the correspondence is {ids.shape} and {weights.shape}: give '
            f'{shape} vertices of the predictions and {shape} weights'
        )
    if (
        ids.dtype.kind not in 'iu'
        or not ((ids >= 0) & (ids < meshes.shape[1])).all()
    ):
        raise InputError(
            'the correspondence names vertices that predictions lack: give '
            f'whole numbers from 0 to {meshes.shape[1] - 1}'
        )
    if not np.allclose(weights.sum(1), 1, atol=1e-3):
        raise InputError(
            'weights of the correspondence do not sum to 1: divide each row '
            'by its sum'
        )
    share = torch.from_numpy(weights).to(meshes)
    corners = meshes[:, torch.from_numpy(ids.astype(np.int64))]
    return (corners * share[..., None]).sum(2)


def _by_vertices(points: Tensor, target: Any) -> BodyTransfer:
    fit = BodyFitter(target.body)(points)
    return _told(fit.parameters(), fit.residual, target, 'vertices')


def _by_joints(
    fit: BodyFit, joints: Tensor, target: TargetBody
) -> BodyTransfer:
    wanted = joints[:, target.joint_ids]
    start = target.start(fit, joints)
    with torch.enable_grad():
        rows = [
            _nearest(
                target,
                {key: value[i : i + 1] for key, value in start.items()},
                wanted[i : i + 1],
            )
            for i in range(len(joints))
        ]
    found = {
        key: torch.cat([row[key] for row in rows]) if rows else value
        for key, value in start.items()
    }
    with torch.no_grad():
        away = (target.joints(found) - wanted).norm(dim=-1).mean(1)
        return _told(found, away, target, 'joints')


def _nearest(
    target: TargetBody, start: dict[str, Tensor], wanted: Tensor
) -> dict[str, Tensor]:
    """Parameters whose joints are nearest to those wanted, of one person."""
    moving = {
        key: value.detach().clone().requires_grad_()
        for key, value in start.items()
    }
    optimiser = torch.optim.LBFGS(
        list(moving.values()),
        max_iter=_STEPS,
        tolerance_change=_TOLERANCE,
        line_search_fn='strong_wolfe',
    )

    def cost() -> Tensor:
        away = (target.joints(moving) - wanted) / _JOINT_SIGMA
        total = away.square().sum() / 2
        for key, value in moving.items():
            if key not in target.free:
                total = total + (value - start[key]).square().sum() / 2
        return total

    def closure() -> Tensor:
        total = cost()
        slopes = torch.autograd.grad(
            total, list(moving.values()), allow_unused=True
        )
        for value, slope in zip(moving.values(), slopes):
            value.grad = torch.zeros_like(value) if slope is None else slope
        return total

    with torch.no_grad():
        before = cost()
    optimiser.step(closure)
    with torch.no_grad():
        better = bool(cost() < before)
    found = moving if better else start
    return {key: value.detach() for key, value in found.items()}


def _told(
    parameters: dict[str, Tensor],
    residual: Tensor,
    target: TargetBody,
    by: str,
) -> BodyTransfer:
    return BodyTransfer(
        {key: value.cpu().numpy() for key, value in parameters.items()},
        target.vertices(parameters).cpu().numpy(),
        residual.cpu().numpy(),
        by,
    )
