"""A body that moves: checked, and in the frame of files."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from mmd2a.apis.result_files.checks import check_finite
from mmd2a.apis.result_files.frame import Y_UP, opencv_to_y_up
from mmd2a.body_models import SMPLBodyModel
from mmd2a.geometry.rotations import axis_angle_to_matrix

__all__ = ['Motion', 'check_motion']

_TAILS = {'axis_angle': ((3,), (69,)), 'matrix': ((1, 3, 3), (23, 3, 3))}
_ROTATION_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Motion:
    """One person over time.

    T: frames, V: vertices, S: shape components.

    Args:
        body: its body.
        rotations: (T, 24, 3, 3) relative to the parents, the root's to the
            OpenCV camera frame; float64.
        betas: (S,).
        transl: (T, 3) metres, OpenCV camera frame; float64.
        fps: frames in a second.
        rest_vertices: (V, 3) metres, rest frame (y up, facing +z).
        rest_joints: (24, 3) likewise.

    Example:
        >>> check_motion(SMPLBodyModel(), [[0, 0, 0]], np.zeros((1, 69)),
        ...              np.zeros(10), None, 30).rest_joints.shape
        (24, 3)
    """

    body: SMPLBodyModel
    rotations: NDArray[np.float64]
    betas: Tensor
    transl: NDArray[np.float64]
    fps: float
    rest_vertices: NDArray[np.float64]
    rest_joints: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rotations)

    @property
    def times(self) -> NDArray[np.float64]:
        """Time of each frame (T,), seconds from the first."""
        return np.arange(len(self)) / self.fps

    @property
    def local_rotations(self) -> NDArray[np.float64]:
        """Rotations (T, 24, 3, 3) to the parents, the root's with y up."""
        rotations = self.rotations.copy()
        rotations[:, 0] = Y_UP[:, None] * rotations[:, 0]
        return rotations

    @property
    def root_positions(self) -> NDArray[np.float64]:
        """Places of the root joint (T, 3), metres, y up."""
        return opencv_to_y_up(self.rest_joints[0] + self.transl)

    def vertices(self, frames: slice) -> NDArray[np.float64]:
        """Vertices (t, V, 3) as the body poses them, metres, y up."""
        rotations = self._tensor(self.rotations[frames])
        posed = _pose(
            self.body,
            rotations,
            self.betas.expand(len(rotations), -1),
            self._tensor(self.transl[frames]),
        )
        return opencv_to_y_up(posed[0])

    def _tensor(self, array: NDArray) -> Tensor:
        return torch.from_numpy(array).to(self.betas)


def check_motion(
    body: SMPLBodyModel,
    global_orient: ArrayLike | Tensor,
    body_pose: ArrayLike | Tensor,
    betas: ArrayLike | Tensor,
    transl: ArrayLike | Tensor | None,
    fps: float,
    pose_format: str = 'axis_angle',
) -> Motion:
    """Check what a writer of animations is given.

    T: frames, S: shape components.

    Args:
        body: the body.
        global_orient: (T, 3) axis-angle, radians, OpenCV camera frame; or
            (T, 1, 3, 3) matrices.
        body_pose: (T, 69), or (T, 23, 3, 3).
        betas: (S,): a skeleton has one shape.
        transl: (T, 3) metres; None: zero.
        fps: frames in a second.
        pose_format: ``'axis_angle'`` or ``'matrix'``.

    Raises:
        ValueError: a wrong shape, numbers that are not finite, no frame, an
            ``fps`` that is not above zero, matrices that are no rotations.
    """
    if body.family.has_hands:
        raise ValueError(
            f'animations are written of bodies of SMPL, and this one is of '
            f'{body.family.name}: use a body of SMPL, or write meshes'
        )
    if pose_format not in _TAILS:
        raise ValueError(
            "pose_format must be 'axis_angle' or 'matrix', not "
            f'{pose_format!r}'
        )
    if not 0 < fps < float('inf'):
        raise ValueError(
            f'fps is {fps!r}: give the frames in a second, such as 30'
        )
    root = _numbers('global_orient', global_orient)
    num_frames = root.shape[0] if root.ndim else 0
    if transl is None:
        transl = np.zeros((num_frames, 3))
    arrays = [
        root,
        _numbers('body_pose', body_pose),
        _numbers('transl', transl),
        _numbers('betas', betas),
    ]
    expected = [
        *((num_frames, *tail) for tail in _TAILS[pose_format]),
        (num_frames, 3),
        (body.num_betas,),
    ]
    names = ('global_orient', 'body_pose', 'transl', 'betas')
    for name, array, wanted in zip(names, arrays, expected):
        _check_shape(name, array, wanted)
    if not num_frames:
        raise ValueError('there are no frames: give at least one pose')
    pose = np.concatenate(arrays[:2], 1)
    if pose_format == 'axis_angle':
        pose = axis_angle_to_matrix(
            torch.from_numpy(pose).unflatten(1, (-1, 3))
        ).numpy()
    _check_rotations(pose)
    shape = torch.from_numpy(arrays[3]).to(body.v_template)
    eye = torch.eye(3).expand(1, 24, 3, 3).to(shape)
    vertices, joints = _pose(body, eye, shape[None], None)
    return Motion(
        body, pose, shape, arrays[2], float(fps), vertices[0], joints[0]
    )


@torch.no_grad()
def _pose(
    body: SMPLBodyModel,
    rotations: Tensor,
    betas: Tensor,
    transl: Tensor | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    output = body(rotations[:, :1], rotations[:, 1:], betas, transl, 'matrix')
    vertices, joints = (part.cpu().double().numpy() for part in output)
    return vertices, joints


def _numbers(name: str, values: Any) -> NDArray[np.float64]:
    if isinstance(values, Tensor):
        values = values.detach().cpu()
    array = np.asarray(values, np.float64)
    check_finite(name, array)
    return array


def _check_rotations(rotations: NDArray) -> None:
    product = rotations.swapaxes(-1, -2) @ rotations
    good = np.abs(product - np.eye(3)).max((-1, -2)) < _ROTATION_TOLERANCE
    good &= np.linalg.det(rotations) > 0
    if not good.all():
        frame, joint = map(int, np.argwhere(~good)[0])
        raise ValueError(
            f'the matrix of joint {joint} in frame {frame} is no rotation: '
            'make it one, for example by roma.special_procrustes'
        )


def _check_shape(name: str, array: NDArray, shape: tuple[int, ...]) -> None:
    if array.shape == shape:
        return
    mend = (
        'a file has one skeleton, so give one shape, such as the mean over '
        'the frames'
        if name == 'betas'
        else 'one row per frame; pose_format says axis_angle or matrix'
    )
    raise ValueError(
        f'{name} has shape {array.shape}, expected {shape}: {mend}'
    )
