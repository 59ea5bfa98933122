"""One person before several calibrated cameras: one mesh in the world."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mmd2a.apis.cameras import place_in_image
from mmd2a.apis.errors import InputError
from mmd2a.apis.person_mesh import PersonMesh
from mmd2a.body_models import BodyFitter

__all__ = ['fuse_views']

# Errors of the shipped model on people out of its distribution have these
# tails, and across the ray of its pixel a root is off by about this share of
# what it is off along it (tools/analysis/fit_view_tails.py prints both).
_TAILS = 2.1
_ACROSS = 0.1
_STEPS, _STILL = 200, 1e-9
_ORTHOGONAL = 1e-3


def fuse_views(
    people: Sequence[PersonMesh],
    R: ArrayLike,
    t: ArrayLike,
    K: ArrayLike | None = None,
    tails: float = _TAILS,
    body_fitter: BodyFitter | None = None,
) -> PersonMesh:
    r"""Fuse what several calibrated cameras see of one person at one instant.

    Every view v tells each joint with a standard deviation along the axes of
    its camera. In axes of the world that is a Gaussian of mean
    :math:`R_v^\top x_v` and precision :math:`P_v = R_v^\top
    \operatorname{diag}(\sigma_v^{-2}) R_v`; their product has

    .. math:: x = \Bigl(\sum_v u_v P_v\Bigr)^{-1} \sum_v u_v P_v R_v^\top x_v,
              \qquad \Sigma = \Bigl(\sum_v u_v P_v\Bigr)^{-1},

    of joints and, with their one :math:`\sigma`, of vertices. All joints of a
    view are off together where its heading is wrong, so a view counts as a
    whole by

    .. math:: u_v = \frac{\nu}{\nu + m_v}, \qquad m_v = \overline{
              (R_v^\top x_v - x)^\top P_v (R_v^\top x_v - x)},

    the mean being over joints: errors of a view have a Student t distribution
    of ν degrees of freedom. Both lines are repeated until they agree (EM);
    :math:`\nu = \infty` is the product of Gaussians alone, in closed form.

    The root is where the rays of its pixels meet, each weighed by the
    certainty of its view, and along each ray, lightly, where that view has it.
    A picture shows a person up to scale: what a view tells is made larger by
    as much as its root is farther away there than that view had it.

    C: cameras, J: joints, V: vertices. Metres; a camera sees a point X of the
    world at R X + t, in its OpenCV frame.

    Args:
        people: the person as each of C cameras has it, with sigma.
        R: (C, 3, 3) rotations, world to camera.
        t: (C, 3) translations, world to camera, m.
        K: (C, 3, 3) intrinsics, pixels. None: those that the people were
            predicted with, which must not be assumed.
        tails: degrees of freedom ν; ``math.inf`` where no view errs more than
            its sigma says.
        body_fitter: tells the parameters of the fused mesh too; None: they
            are left out.

    Returns:
        The person in the world: ``vertices``, ``keypoints3d`` in its axes,
        ``transl`` its root, ``sigma`` and ``keypoints3d_sigma`` those of the
        product. What belongs to one picture (``keypoints2d``, ``K``,
        ``camera``, ``bbox``, ``crop_matrix``) is NaN, ``camera_source`` is
        ``'world'``. :func:`~mmd2a.apis.seen_from` brings it before a camera.

    Raises:
        InputError: people without sigma, of different models, with cameras
            that are assumed, other numbers of cameras, no rotations.

    Lange et al., "Robust Statistical Modeling Using the t Distribution", JASA
    1989.

    Example:
        >>> from mmd2a.apis import MeshInferencer
        >>> inferencer = MeshInferencer()
        >>> [result] = inferencer('docs/images/balancing.jpg', fov=50,
        ...                       bboxes=[36.6, 60.7, 563.7, 758])
        >>> [person] = result['predictions'][0]
        >>> fused = fuse_views([person], np.eye(3)[None], np.zeros((1, 3)))
        >>> bool(np.allclose(fused.vertices, person.vertices, atol=1e-6))
        True
    """
    turn, shift = _cameras(R, t, len(people))
    _check(people, K is not None)
    if not tails > 0:
        raise InputError(f'tails must be more than 0, got {tails}')
    roots = _roots(people, K)
    spread = _stack(people, 'keypoints3d_sigma')
    root = _meeting_point(roots, turn, shift, spread)
    # How much farther, and so larger, each has the person than it seemed.
    scale = (root @ turn[:, 2].T + shift[:, 2]) / roots[:, 2]
    scale = scale[:, None, None]
    joints, precision = _in_world(
        scale * _stack(people, 'keypoints3d'), scale * spread, turn
    )
    say = _say_of_views(joints, precision, tails)
    keypoints3d, covariance = _product(joints, precision, say)
    # An infinite sigma has the precision 0.
    certainty = (scale[..., 0] * _stack(people, 'sigma')) ** -2.0
    certainty *= say[:, None]
    total = certainty.sum(0)
    _require_known(total, 'vertices')
    vertices = np.einsum(
        'cv,cvx->vx',
        certainty / total,
        scale * _stack(people, 'vertices') @ turn,
    )
    fused = PersonMesh(
        vertices=vertices.astype(np.float32),
        keypoints3d=keypoints3d.astype(np.float32),
        transl=root.astype(np.float32),
        sigma=(total**-0.5).astype(np.float32),
        keypoints3d_sigma=np.sqrt(
            np.diagonal(covariance, axis1=1, axis2=2)
        ).astype(np.float32),
        joint_names=people[0].joint_names,
        score=float(np.mean([person.score for person in people])),
        camera_source='world',
        crop_size=(0, 0),
        image_size=(0, 0),
        keypoints2d=np.full((len(keypoints3d), 2), np.nan, np.float32),
        camera=np.full(3, np.nan, np.float32),
        K=np.full((3, 3), np.nan),
        bbox=np.full(4, np.nan),
        crop_matrix=np.full((2, 3), np.nan),
    )
    return fused if body_fitter is None else _with_body(fused, body_fitter)


def _cameras(
    R: ArrayLike, t: ArrayLike, count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Check R (C, 3, 3) and t (C, 3)."""
    turn, shift = np.asarray(R, np.float64), np.asarray(t, np.float64)
    if not count:
        raise InputError('there is nobody to fuse: give one person per camera')
    if turn.shape != (count, 3, 3) or shift.shape != (count, 3):
        raise InputError(
            f'R is {turn.shape} and t {shift.shape}: for {count} people give '
            f'({count}, 3, 3) and ({count}, 3), a camera per person'
        )
    off = np.abs(turn @ turn.transpose(0, 2, 1) - np.eye(3)).max((1, 2))
    rotates = (off < _ORTHOGONAL) & (np.linalg.det(turn) > 0)
    if not rotates.all():
        raise InputError(
            f'R of camera {int(np.argmin(rotates))} is no rotation: give the '
            'matrix that takes axes of the world to those of the camera'
        )
    if not np.isfinite(shift).all():
        raise InputError('t is not finite: give metres, world to camera')
    return turn, shift


def _check(people: Sequence[PersonMesh], cameras_given: bool) -> None:
    """Say in one line what keeps people from being fused."""
    if len({(p.joint_names, p.vertices.shape) for p in people}) > 1:
        raise InputError(
            'the views are of models with different joints or bodies: '
            'predict all of them with one model'
        )
    for index, person in enumerate(people):
        if person.sigma is None or person.keypoints3d_sigma is None:
            raise InputError(
                f'view {index} has no sigma, by which views are weighed: '
                'predict with a model that has a flow_head of dims=3'
            )
        for sigma in (person.sigma, person.keypoints3d_sigma):
            if not (np.asarray(sigma) > 0).all():
                raise InputError(
                    f'view {index} has a sigma that is not above 0: give '
                    'metres, or infinity for what it does not know'
                )
        if not cameras_given and person.camera_source == 'assumed':
            raise InputError(
                f'the camera of view {index} is assumed, so where it has the '
                'person is a guess: predict with K, or give K here'
            )


def _stack(people: Sequence[PersonMesh], name: str) -> NDArray[np.float64]:
    return np.stack([getattr(p, name) for p in people]).astype(np.float64)


def _in_world(
    points: NDArray, sigma: NDArray, turn: NDArray
) -> tuple[NDArray, NDArray]:
    """Points (C, J, 3) and their precisions (C, J, 3, 3), 1/m^2."""
    precision = np.einsum('cix,cji,ciy->cjxy', turn, sigma**-2.0, turn)
    return points @ turn, precision


def _product(
    points: NDArray, precision: NDArray, say: NDArray
) -> tuple[NDArray, NDArray]:
    """Mean (J, 3) and covariance (J, 3, 3) of the product of Gaussians."""
    weighted = precision * say[:, None, None, None]
    total = weighted.sum(0)
    _require_known(np.linalg.det(total), 'joints')
    pull = np.einsum('cjxy,cjy->jx', weighted, points)
    return np.linalg.solve(total, pull[..., None])[..., 0], np.linalg.inv(
        total
    )


def _require_known(certainty: NDArray, what: str) -> None:
    if not (certainty > 0).all():
        raise InputError(
            f'{int((~(certainty > 0)).sum())} {what} have an infinite sigma '
            'in all views: leave one in which they are known'
        )


def _say_of_views(
    points: NDArray, precision: NDArray, tails: float
) -> NDArray[np.float64]:
    """Weight u (C,) of each view as a whole."""
    say = np.ones(len(points))
    if math.isinf(tails):
        return say
    known = np.maximum((precision.trace(axis1=2, axis2=3) > 0).sum(1), 1)
    for _ in range(_STEPS):
        away = points - _product(points, precision, say)[0]
        square = np.einsum('cjx,cjxy,cjy->c', away, precision, away) / known
        before, say = say, tails / (tails + square)
        if np.abs(say - before).max() < _STILL:
            break
    return say


def _roots(
    people: Sequence[PersonMesh], K: ArrayLike | None
) -> NDArray[np.float64]:
    """Roots (C, 3) in the frames of their cameras."""
    if K is None:
        return _stack(people, 'transl')
    lenses = np.asarray(K, np.float64)
    if lenses.shape != (len(people), 3, 3):
        raise InputError(
            f'K is {lenses.shape}: for {len(people)} people give '
            f'({len(people)}, 3, 3), pixels'
        )
    affine = np.zeros((len(people), 3, 3))
    affine[:, :2] = _stack(people, 'crop_matrix')
    affine[:, 2, 2] = 1
    return np.concatenate(
        [
            place_in_image(
                np.asarray(p.camera)[None], crop[None], p.crop_size[0]
            )
            for p, crop in zip(people, affine @ lenses)
        ]
    )


def _meeting_point(
    roots: NDArray, turn: NDArray, shift: NDArray, sigma: NDArray
) -> NDArray[np.float64]:
    """The point (3,) of the world nearest to the rays to roots (C, 3)."""
    rays = roots / np.linalg.norm(roots, axis=1, keepdims=True)
    rays = np.einsum('cix,ci->cx', turn, rays)
    along = rays[:, :, None] * rays[:, None]
    certain = (sigma**-2.0).mean((1, 2))[:, None, None]
    weight = certain * (np.eye(3) - (1 - _ACROSS**2) * along)
    if not certain.any():
        raise InputError(
            'every sigma is infinite: leave a view in which it is not'
        )
    placed = np.einsum('cix,ci->cx', turn, roots - shift)
    return np.linalg.solve(
        weight.sum(0), np.einsum('cxy,cy->x', weight, placed)
    )


def _with_body(person: PersonMesh, body_fitter: BodyFitter) -> PersonMesh:
    """Add the parameters of the body that comes nearest to a mesh."""
    fit = body_fitter(torch.from_numpy(person.vertices)[None])
    told = {
        name: value[0].cpu().numpy() for name, value in fit._asdict().items()
    }
    return replace(
        person,
        global_orient=told['global_orient'],
        body_pose=told['body_pose'],
        betas=told['betas'],
        smpl_transl=told['transl'] + person.transl,
        fit_residual=float(told['residual']),
    )
