"""Meshes of one person over time, without jitter.

A mesh is taken apart into what moves differently: the way the whole body is
turned (a rotation), its shape and pose in the frame of the body (points), the
direction it is seen in and its distance. Each goes through a One-Euro filter
(:mod:`.one_euro`), weighted by 1/σ² where the model tells σ, and they are put
together again. So a turning body does not shrink, distance, which one picture
hardly tells, does not pull a person off the picture, and a wrist moves at its
own cutoff.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mmd2a.apis.cameras import project_to_image
from mmd2a.apis.errors import InputError
from mmd2a.apis.person_mesh import PersonMesh
from mmd2a.apis.video.one_euro import (
    LINE,
    ROTATION,
    OneEuro,
    OneEuroFilter,
    smooth_sequence,
)

__all__ = ['OnlineSmoother', 'Smoothing', 'smooth_people']


@dataclass(frozen=True)
class Smoothing:
    """How people of a video are smoothed.

    Args:
        points: of vertices, joints, and the root across the line of sight;
            beta in Hz per m/s.
        distance: of the root along it; beta in Hz per 1/s, since most of what
            a picture tells of distance is noise, in proportion to it.
        rotations: of the turn of the body and of ``global_orient`` and
            ``body_pose``; beta in Hz per rad/s.
        shape: of ``betas``.
        lookahead: seconds that may be looked into the future, by which
            answers come later: without lag. 0: none, for what is live.
        max_gap: seconds that a person may be out of sight.

    Raises:
        InputError: negative times.
    """

    points: OneEuro = OneEuro(min_cutoff=1.0, beta=4.0, d_cutoff=3.0)
    distance: OneEuro = OneEuro(min_cutoff=1.0, beta=1.0, d_cutoff=3.0)
    rotations: OneEuro = OneEuro(min_cutoff=1.0, beta=2.0, d_cutoff=3.0)
    shape: OneEuro = OneEuro(min_cutoff=0.2)
    lookahead: float = 1.0
    max_gap: float = 0.5

    def __post_init__(self) -> None:
        if self.lookahead < 0 or self.max_gap < 0:
            raise InputError(
                f'lookahead={self.lookahead} and max_gap={self.max_gap} are '
                'seconds, not negative'
            )


def smooth_people(
    people: Sequence[PersonMesh],
    times: Sequence[float],
    settings: Smoothing = Smoothing(),
) -> list[PersonMesh]:
    """Smooth one person over a whole sequence, without lag.

    Args:
        people: the person, frame after frame.
        times: of these, seconds, ascending.
        settings: how much.

    Returns:
        The same with other ``vertices``, ``keypoints3d``, ``transl`` and
        ``keypoints2d``, and parameters of the body where there are some. What
        was seen of a frame stays as it was: ``bbox``, ``mask``, ``camera``,
        ``sigma``, ``keypoints2d_localized``.

    Raises:
        InputError: times that do not ascend.
    """
    frame = _BodyFrame()
    parts = [frame.take_apart(person) for person in people]
    smooth: dict[str, NDArray] = {}
    for name in parts[0] if parts else ():
        values, weights = (
            np.stack(each) for each in zip(*(part[name] for part in parts))
        )
        kind, space = _channel(settings, name, people[0])
        smooth[name] = smooth_sequence(
            values, np.asarray(times), kind, weights, space
        )
    return [
        _put_together(person, {name: smooth[name][t] for name in smooth})
        for t, person in enumerate(people)
    ]


class OnlineSmoother:
    """Smooth one person, frame after frame, as they come.

    Args:
        settings: how much.
    """

    def __init__(self, settings: Smoothing = Smoothing()) -> None:
        self.settings = settings
        self._frame = _BodyFrame()
        self._filters: dict[str, OneEuroFilter] = {}

    def __call__(self, person: PersonMesh, dt: float) -> PersonMesh:
        """Take the person of the next frame.

        Args:
            person: as predicted.
            dt: seconds since the last one.
        """
        smooth = {}
        for name, (value, weight) in self._frame.take_apart(person).items():
            if name not in self._filters:
                self._filters[name] = OneEuroFilter(
                    *_channel(self.settings, name, person)
                )
            smooth[name] = self._filters[name](value, dt, weight)
        return _put_together(person, smooth)


def _channel(
    settings: Smoothing, name: str, first: PersonMesh
) -> tuple[OneEuro, Any]:
    """How a part is smoothed, and in which space."""
    if name in ('turn', 'global_orient', 'body_pose'):
        return settings.rotations, ROTATION
    if name == 'betas':
        return settings.shape, LINE
    if name == 'log_depth':
        return settings.distance, LINE
    if name == 'ray':
        # Speeds there are relative to the distance.
        beta = settings.points.beta * max(float(first.transl[2]), 0)
        return replace(settings.points, beta=beta), LINE
    return settings.points, LINE


class _BodyFrame:
    """Takes meshes apart, in a frame that turns with the body.

    The frame turns from one mesh to the next as the best rotation of all
    vertices does (Kabsch). Where it began does not matter.
    """

    def __init__(self) -> None:
        self._turn = Rotation.identity()
        self._last: NDArray | None = None

    def take_apart(
        self, person: PersonMesh
    ) -> dict[str, tuple[NDArray, NDArray]]:
        """Parts by name, each with its weights."""
        vertices = np.asarray(person.vertices, np.float64)
        certain = _certainty(person.sigma, len(vertices))
        centred = vertices - vertices.mean(0)
        if self._last is not None:
            step, _ = Rotation.align_vectors(
                centred, self._last, certain[:, 0]
            )
            self._turn = step * self._turn
        self._last = centred
        one = certain.mean(0)
        back = self._turn.inv()
        joints = np.asarray(person.keypoints3d, np.float64)
        x, y, z = np.asarray(person.transl, np.float64)
        z = max(z, 1e-3)  # Nobody stands in the camera.
        parts = dict(
            turn=(self._turn.as_rotvec(), one),
            vertices=(back.apply(vertices), certain),
            keypoints3d=(
                back.apply(joints),
                _certainty(person.keypoints3d_sigma, len(joints)),
            ),
            ray=(np.array([x, y]) / z, one),
            log_depth=(np.log([z]), one),
        )
        if person.smpl_transl is not None:
            for name in ('global_orient', 'body_pose', 'betas'):
                value = np.asarray(getattr(person, name), np.float64)
                if name == 'body_pose':
                    value = value.reshape(-1, 3)
                parts[name] = (value, one)
            parts['pelvis'] = (
                np.asarray(person.smpl_transl, np.float64) - person.transl,
                one,
            )
        return parts


def _certainty(sigma: NDArray | None, number: int) -> NDArray[np.float64]:
    """1/σ² (N, 1) of points; all 1 where there is no σ."""
    if sigma is None:
        return np.ones((number, 1))
    variance = np.square(sigma, dtype=np.float64).reshape(number, -1)
    return 1 / np.maximum(variance.mean(1, keepdims=True), 1e-8)


def _put_together(
    person: PersonMesh, parts: Mapping[str, NDArray]
) -> PersonMesh:
    turn = Rotation.from_rotvec(parts['turn'])
    depth = np.exp(parts['log_depth'])
    transl = np.concatenate([parts['ray'] * depth, depth])
    joints = turn.apply(parts['keypoints3d'])
    values = dict(
        vertices=turn.apply(parts['vertices']),
        keypoints3d=joints,
        transl=transl,
        keypoints2d=project_to_image(
            joints[None], transl[None], np.asarray(person.K, np.float64)[None]
        )[0],
    )
    if 'pelvis' in parts:
        values |= dict(
            global_orient=parts['global_orient'],
            body_pose=parts['body_pose'].ravel(),
            betas=parts['betas'],
            smpl_transl=transl + parts['pelvis'],
        )
    return replace(
        person,
        **{key: value.astype(np.float32) for key, value in values.items()},
    )
