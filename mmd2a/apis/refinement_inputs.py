"""What refining takes, or what is wrong with it in a line."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmd2a.apis.errors import InputError
from mmd2a.apis.person_mesh import PersonMesh
from mmd2a.body_models import JOINT_SETS, SMPLBodyModel


def crop_side(person: PersonMesh) -> float:
    """Side of the crop in the picture, pixels."""
    scale = np.sqrt(np.linalg.det(person.crop_matrix[:, :2]))
    return float(person.crop_size[0] / scale)


def index_of(names: Sequence[str], name: str) -> int:
    """Place of a root joint among those of the people.

    Raises:
        InputError: they have no such joint.
    """
    if name not in names:
        raise InputError(
            f'root names {name!r}, but the people have {", ".join(names)}'
        )
    return names.index(name)


def joint_set_of(people: Sequence[PersonMesh]) -> str:
    """Name the joint set of people.

    Raises:
        InputError: they have none in common.
    """
    for name, names in JOINT_SETS.items():
        if all(person.joint_names == names for person in people):
            return name
    raise InputError(
        'the people are of no one joint set: predict all of them with one '
        f'model, of {", ".join(JOINT_SETS)}'
    )


def check_flow(flow_head: Any) -> None:
    """Refuse a flow head that is no density of meshes.

    Raises:
        InputError: of 2-D joints, or of another mode than 'exact'.
    """
    if flow_head is None:
        return
    mode = getattr(flow_head.loss_module, 'mode', None)
    if flow_head.dims != 3 or mode != 'exact':
        raise InputError(
            f'flow_head is of dims={flow_head.dims} and mode {mode!r}: only '
            "dims=3 and mode 'exact' is a density of meshes; leave it out"
        )


def check_keypoints(
    people: Sequence[PersonMesh],
    keypoints2d: ArrayLike,
    scores: ArrayLike | None,
    joint_set: str,
    body: SMPLBodyModel,
) -> tuple[NDArray, NDArray]:
    """Check people and their keypoints.

    N: people, J: joints of the set.

    Args:
        people: N of them.
        keypoints2d: (N, J, 2), pixels.
        scores: (N, J) in [0, 1]; None: all 1.
        joint_set: of the keypoints.
        body: whose mesh the people have.

    Returns:
        Keypoints (N, J, 2) and scores (N, J).

    Raises:
        InputError: what cannot be used, and its mend.
    """
    if joint_set not in body.joint_sets:
        raise InputError(
            f'the body has no joints {joint_set!r}: bring the keypoints into '
            f'one of {", ".join(body.joint_sets)}'
        )
    shape = (len(people), len(JOINT_SETS[joint_set]))
    points = np.asarray(keypoints2d, np.float64)
    weights = np.ones(shape) if scores is None else np.asarray(scores, float)
    if points.shape != (*shape, 2) or weights.shape != shape:
        raise InputError(
            f'keypoints2d are {points.shape} and scores {weights.shape}: for '
            f'{shape[0]} people and {joint_set!r} give {(*shape, 2)} and '
            f'{shape}'
        )
    if not ((weights >= 0) & (weights <= 1)).all():
        raise InputError('scores must be from 0 to 1: divide by their largest')
    if not np.isfinite(points[weights > 0]).all():
        raise InputError(
            'keypoints2d are not finite: give a score of 0 to what was not '
            'found'
        )
    for index, person in enumerate(people):
        if person.sigma is None or person.keypoints3d_sigma is None:
            raise InputError(
                f'person {index} has no sigma, which says how far to move: '
                'predict with a model that has a flow_head of dims=3'
            )
        if not np.isfinite(person.K).all():
            raise InputError(
                f'person {index} is before no camera: bring it there with '
                'mmd2a.apis.seen_from'
            )
        if len(person.vertices) != body.num_vertices:
            raise InputError(
                f'person {index} has {len(person.vertices)} vertices, but the '
                f'body {body.num_vertices}: give a body_fitter of its body'
            )
    return points, weights
