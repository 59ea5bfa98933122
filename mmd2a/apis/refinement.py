"""Move predicted people onto 2-D keypoints, as far as they may be off."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from mmd2a.apis.cameras import project_to_image, weak_camera
from mmd2a.apis.errors import InputError
from mmd2a.apis.person_mesh import PersonMesh
from mmd2a.apis.refinement_inputs import (
    check_flow,
    check_keypoints,
    crop_side,
    index_of,
    joint_set_of,
)
from mmd2a.apis.refinement_objective import (
    Evidence,
    RefinedState,
    RefinementObjective,
)
from mmd2a.body_models import BodyFitter, SMPLBodyModel
from mmd2a.geometry import (
    axis_angle_to_matrix,
    matrix_to_axis_angle,
    root_position,
)

__all__ = ['Refinement', 'refine']

_STEPS = 40
# Of Adam, per step: radians and metres, and twice as much of betas; ends at a
# twentieth.
_RATE, _LAST_RATE = 0.05, 0.05
_CHUNK = 64


class Refinement(NamedTuple):
    """People after refining, and what it did; N: people.

    Attributes:
        people: N of them; who could not be bettered is as given.
        objective: (N, 2) before and after, nats; never rises.
        error2d: (N, 2) mean distance to the keypoints, by their scores,
            before and after, pixels; NaN without keypoints.
    """

    people: list[PersonMesh]
    objective: NDArray[np.float32]
    error2d: NDArray[np.float32]


@torch.inference_mode(False)
def refine(
    people: Sequence[PersonMesh],
    keypoints2d: ArrayLike,
    scores: ArrayLike | None = None,
    joint_set: str = 'h36m14',
    keypoint_sigma: float = 0.02,
    flow_head: Any = None,
    body_fitter: BodyFitter | None = None,
    root: Sequence[str] = ('left_hip', 'right_hip'),
    num_steps: int = _STEPS,
) -> Refinement:
    """Move people onto 2-D keypoints, of a detector or by hand.

    Pose, shape and place of the body that comes nearest to each mesh are
    moved by Adam to where the keypoints and the density that the model
    predicted are most probable together, see
    :class:`~mmd2a.apis.refinement_objective.RefinementObjective`. Joints that
    sigma calls doubtful move most. A person does not depend on the others.

    N: people, J: joints of the set.

    Args:
        people: with sigma, before the camera of their picture.
        keypoints2d: (N, J, 2) pixels of the picture, centres at integers.
        scores: (N, J) in [0, 1]; 0: not found, whatever the numbers are. None:
            all were found.
        joint_set: whose joints these are: one of the body, such as
            ``'coco17'``.
        keypoint_sigma: how far a keypoint may be off along an axis, standard
            deviation, of the side of the crop.
        flow_head: ``model.flow_head`` of the model that predicted, for its
            own density; None: a Gaussian of its sigma.
        body_fitter: whose body is posed; None: that of the embedded body.
        root: joints whose mean is the root of the people.
        num_steps: of Adam.

    Returns:
        The people as meshes of that body, with its parameters. Sigma stays
        that of the model.

    Raises:
        InputError: people without sigma, of another body or without a
            camera; keypoints of another shape, or not finite.

    Example:
        >>> from mmd2a.apis import MeshInferencer
        >>> inferencer = MeshInferencer()
        >>> [result] = inferencer('docs/images/balancing.jpg', fov=50,
        ...                       bboxes=[36.6, 60.7, 563.7, 758])
        >>> [person] = result['predictions'][0]
        >>> seen = person.keypoints2d + 40  # pixels
        >>> done = refine([person], seen[None])
        >>> before, after = done.error2d[0]
        >>> bool(after < before)
        True
    """
    fitter = body_fitter or BodyFitter()
    points, weights = check_keypoints(
        people, keypoints2d, scores, joint_set, fitter.body_model
    )
    if not (keypoint_sigma > 0 and num_steps >= 0):
        raise InputError(
            f'keypoint_sigma={keypoint_sigma} must be above 0 and '
            f'num_steps={num_steps} not below'
        )
    if not people:
        return Refinement([], *(np.zeros((0, 2), np.float32),) * 2)
    predicted_set = joint_set_of(people)
    check_flow(flow_head)
    names = people[0].joint_names
    objective = RefinementObjective(
        fitter,
        joint_set,
        predicted_set,
        [index_of(names, name) for name in root],
        flow_head,
    )
    pieces = []
    for first in range(0, len(people), _CHUNK):
        chunk = slice(first, first + _CHUNK)
        sides = np.array([crop_side(person) for person in people[chunk]])
        pieces.append(
            _refine_chunk(
                people[chunk],
                objective.evidence(
                    people[chunk],
                    points[chunk],
                    weights[chunk],
                    keypoint_sigma * sides,
                ),
                objective,
                fitter,
                num_steps,
            )
        )
    return Refinement(
        [person for piece in pieces for person in piece.people],
        np.concatenate([piece.objective for piece in pieces]),
        np.concatenate([piece.error2d for piece in pieces]),
    )


def _refine_chunk(
    people: Sequence[PersonMesh],
    known: Evidence,
    objective: RefinementObjective,
    fitter: BodyFitter,
    num_steps: int,
) -> Refinement:
    start, state = _start(people, fitter)
    with torch.enable_grad():
        state, after = _minimise(objective, known, state, start, num_steps)
    with torch.no_grad():
        given = _given_keypoints(people, objective, known)
        before = objective.energy(
            known, given, known.mean, known.root, torch.zeros_like(state.betas)
        )
        keypoints3d = objective.points(state, start)[0]
        errors = [
            _mean_distance(known, objective.off(known, each))
            for each in (given, keypoints3d)
        ]
        refined = _people(people, state, start, fitter.body_model, objective)
    better = (after < before).cpu().numpy()
    after = torch.minimum(after, before)
    errors[1] = torch.where(after < before, errors[1], errors[0])
    return Refinement(
        [new if ok else old for new, old, ok in zip(refined, people, better)],
        torch.stack([before, after], 1).cpu().numpy(),
        torch.stack(errors, 1).cpu().numpy(),
    )


def _start(
    people: Sequence[PersonMesh], fitter: BodyFitter
) -> tuple[Tensor, RefinedState]:
    """The body nearest to each mesh: rotations (B, 24, 3, 3), and no turn."""
    like = fitter.body_model.v_template
    meshes = torch.from_numpy(
        np.stack([person.vertices for person in people])
    ).to(like)
    fit = fitter(meshes)
    roots = np.stack([person.transl for person in people])
    pose = torch.cat([fit.global_orient, fit.body_pose], 1)
    start = axis_angle_to_matrix(pose.unflatten(1, (-1, 3)))
    return start, RefinedState(
        torch.zeros_like(start[..., 0]),
        fit.betas,
        fit.transl + torch.from_numpy(roots).to(like),
    )


def _minimise(
    objective: RefinementObjective,
    known: Evidence,
    state: RefinedState,
    start: Tensor,
    num_steps: int,
) -> tuple[RefinedState, Tensor]:
    """The best state that Adam came by, each person its own, and its E."""
    moving = RefinedState(*(x.clone().requires_grad_() for x in state))
    rates = (_RATE, 2 * _RATE, _RATE)
    adam = torch.optim.Adam(
        [dict(params=[x], lr=rate) for x, rate in zip(moving, rates)],
        betas=(0.9, 0.99),
    )
    slower = torch.optim.lr_scheduler.LambdaLR(
        adam,
        lambda step: (
            _LAST_RATE
            + (1 - _LAST_RATE)
            * (1 + np.cos(np.pi * step / max(num_steps, 1)))
            / 2
        ),
    )
    best = [x.detach().clone() for x in moving]
    lowest = torch.full_like(state.betas[:, 0], torch.inf)
    for step in range(num_steps + 1):
        cost = objective(known, moving, start)
        lower = cost.detach() < lowest  # False for NaN
        lowest = torch.where(lower, cost.detach(), lowest)
        for kept, value in zip(best, moving):
            kept[lower] = value.detach()[lower]
        if step == num_steps:
            break
        slopes = torch.autograd.grad(cost.sum(), list(moving))
        for value, slope in zip(moving, slopes):
            value.grad = slope
        adam.step()
        slower.step()
    return RefinedState(*best), lowest


def _given_keypoints(
    people: Sequence[PersonMesh],
    objective: RefinementObjective,
    known: Evidence,
) -> Tensor:
    """Keypoints (B, J, 3) of the meshes as they were given."""
    meshes = np.stack([p.vertices + p.transl for p in people])
    return objective.keypoints_of(
        torch.from_numpy(meshes).to(known.keypoints2d)
    )


def _mean_distance(known: Evidence, off: Tensor) -> Tensor:
    """Mean by scores (B,), pixels; NaN where nothing was found."""
    return (known.scores * off).sum(1) / known.scores.sum(1)


def _people(
    people: Sequence[PersonMesh],
    state: RefinedState,
    start: Tensor,
    body: SMPLBodyModel,
    objective: RefinementObjective,
) -> list[PersonMesh]:
    """The people of a state, before the same cameras."""
    rotations = start @ axis_angle_to_matrix(state.turns)
    mesh = body(
        rotations[:, :1],
        rotations[:, 1:],
        state.betas,
        state.transl,
        pose_format='matrix',
    ).vertices
    joints = body.regress_joints(mesh, objective.predicted_set)
    root = root_position(joints, objective.root_ids)
    pose = matrix_to_axis_angle(rotations)
    arrays = dict(
        vertices=mesh - root,
        keypoints3d=joints - root,
        transl=root[:, 0],
        global_orient=pose[:, 0],
        body_pose=pose[:, 1:].flatten(1),
        betas=state.betas,
        smpl_transl=state.transl,
    )
    told = {key: value.cpu().numpy() for key, value in arrays.items()}
    refined = []
    for index, person in enumerate(people):
        fields = {key: value[index] for key, value in told.items()}
        place = fields['transl'].astype(np.float64)
        refined.append(
            replace(
                person,
                **fields,
                keypoints2d=project_to_image(
                    fields['keypoints3d'][None], place[None], person.K[None]
                )[0],
                camera=weak_camera(
                    place, person.K, person.crop_matrix, person.crop_size[0]
                ),
                fit_residual=0.0,
                keypoints3d_samples=None,
            )
        )
    return refined
