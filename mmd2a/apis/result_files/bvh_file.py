"""A moving skeleton as BVH: for programs that retarget motions."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor

from mmd2a.apis.result_files.checks import check_suffix
from mmd2a.apis.result_files.motion import Motion, check_motion
from mmd2a.body_models import SMPL_PARENTS, SMPLBodyModel
from mmd2a.body_models import joint_names as names_of_set
from mmd2a.files import write_text

__all__ = ['write_bvh']

_UNITS = {'m': 1.0, 'cm': 100.0}
_ROTATIONS = 'Zrotation Xrotation Yrotation'
_POSITIONS = 'Xposition Yposition Zposition'


def write_bvh(
    path: str | Path,
    body: SMPLBodyModel,
    global_orient: ArrayLike | Tensor,
    body_pose: ArrayLike | Tensor,
    betas: ArrayLike | Tensor,
    transl: ArrayLike | Tensor | None = None,
    fps: float = 30.0,
    unit: str = 'cm',
    joint_names: Sequence[str] | None = None,
    pose_format: str = 'axis_angle',
) -> None:
    r"""Write the skeleton of a body and its motion as BVH.

    Offsets are those of the joints at rest for ``betas`` (y up, facing +z).
    Every joint has the channels Z, X, Y in degrees,

    .. math:: R = R_z R_x R_y,

    the root before them its place. The offset of the root is zero, so that
    programs which add place and offset and those which replace one by the
    other agree. +y is up and +z towards the viewer
    (:func:`opencv_to_y_up`). Limbs end at the middle of the skin that their
    last joint moves. A BVH has no skin: see :func:`write_skinned_glb`.

    T: frames, S: shape components.

    Args:
        path: ``.bvh`` file; its folder is made if needed.
        body: the body.
        global_orient: (T, 3) axis-angle, radians, OpenCV camera frame; or
            (T, 1, 3, 3) matrices.
        body_pose: (T, 69), or (T, 23, 3, 3).
        betas: (S,): a skeleton has one shape.
        transl: (T, 3) metres, OpenCV camera frame; None: zero.
        fps: frames in a second.
        unit: of lengths in the file, ``'cm'`` as most programs expect, or
            ``'m'``. BVH does not state it.
        joint_names: 24 names without blanks; None: those of ``'smpl24'``.
        pose_format: ``'axis_angle'`` or ``'matrix'``.

    Raises:
        ValueError: another suffix or unit, a wrong shape, numbers that are
            not finite, names that are no names.
        OSError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), 'still.bvh')
        >>> write_bvh(path, SMPLBodyModel(), torch.zeros(1, 3),
        ...           torch.zeros(1, 69), torch.zeros(10))
        >>> path.read_text().splitlines()[:2]
        ['HIERARCHY', 'ROOT pelvis']

    M. Meredith and S. Maddock, "Motion Capture File Formats Explained", 2001.
    """
    check_suffix(path, '.bvh')
    if unit not in _UNITS:
        raise ValueError(f"unit is {unit!r}, expected 'cm' or 'm'")
    names = _check_names(
        names_of_set('smpl24') if joint_names is None else joint_names
    )
    motion = check_motion(
        body, global_orient, body_pose, betas, transl, fps, pose_format
    )
    scale = _UNITS[unit]
    lines = ['HIERARCHY']
    order: list[int] = []
    _add_joint(0, names, scale * _offsets(motion), lines, order)
    angles = _angles(motion.local_rotations[:, np.array(order)])
    frames = np.concatenate(
        [scale * motion.root_positions, angles.reshape(len(motion), -1)], 1
    )
    rows = io.StringIO()
    np.savetxt(rows, frames, '%.6f')
    lines += ['MOTION', f'Frames: {len(motion)}', f'Frame Time: {1 / fps:.9f}']
    write_text(path, '\n'.join(lines) + '\n' + rows.getvalue())


def _check_names(names: Sequence[str]) -> Sequence[str]:
    if (
        len(names) != len(SMPL_PARENTS)
        or len(set(names)) != len(names)
        or any(len(name.split()) != 1 for name in names)
    ):
        raise ValueError(
            f'joint_names are {list(names)}, expected {len(SMPL_PARENTS)} '
            'different names without blanks, in the order of smpl24'
        )
    return names


def _offsets(motion: Motion) -> NDArray[np.float64]:
    """Offsets (48, 3) in metres: of joints, then of ends of limbs there."""
    rest = motion.rest_joints
    parents = np.array(SMPL_PARENTS)
    offsets = rest - rest[parents]
    offsets[0] = 0
    weights = motion.body.weights.cpu().double().numpy().T
    share = weights / np.maximum(weights.sum(1, keepdims=True), 1e-9)
    ends = share @ motion.rest_vertices - share.sum(1, keepdims=True) * rest
    return np.concatenate([offsets, ends])


def _add_joint(
    joint: int,
    names: Sequence[str],
    offsets: NDArray,
    lines: list[str],
    order: list[int],
    depth: int = 0,
) -> None:
    """Describe a joint and all below it, in the order of the channels."""
    space = '  ' * depth
    order.append(joint)
    channels = f'3 {_ROTATIONS}' if joint else f'6 {_POSITIONS} {_ROTATIONS}'
    lines += [
        f'{space}{"JOINT" if joint else "ROOT"} {names[joint]}',
        f'{space}{{',
        f'{space}  OFFSET {_text(offsets[joint])}',
        f'{space}  CHANNELS {channels}',
    ]
    children = [j for j, p in enumerate(SMPL_PARENTS) if p == joint]
    for child in children:
        _add_joint(child, names, offsets, lines, order, depth + 1)
    if not children:
        end = offsets[len(SMPL_PARENTS) + joint]
        lines += [
            f'{space}  End Site',
            f'{space}  {{',
            f'{space}    OFFSET {_text(end)}',
            f'{space}  }}',
        ]
    lines.append(f'{space}}}')


def _text(numbers: NDArray) -> str:
    return ' '.join(f'{number:.6f}' for number in numbers)


def _angles(rotations: NDArray) -> NDArray[np.float64]:
    """Euler angles (T, J, 3) about z, x, y in degrees, without jumps."""
    turns = Rotation.from_matrix(rotations.reshape(-1, 3, 3))
    with warnings.catch_warnings():
        # At x = 90 degrees one of the two others is free: any choice is right.
        warnings.filterwarnings('ignore', 'Gimbal lock')
        angles = turns.as_euler('ZXY').reshape(*rotations.shape[:2], 3)
    # A whole turn more is the same rotation, but not on the way between two
    # frames.
    return np.degrees(np.unwrap(angles, axis=0))
