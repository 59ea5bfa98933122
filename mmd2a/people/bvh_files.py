"""Read motions in BVH with the joint names of CMU as poses of SMPL."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from mmd2a.body_models.joint_sets import JOINT_SETS, SMPL_PARENTS
from mmd2a.files import UnusableFileError, read_text
from mmd2a.people.collisions import rest_joints

__all__ = ['read_bvh']

_SMPL = JOINT_SETS['smpl24']
# SMPL joint: joint of the CMU skeleton that turns the same part.
_CMU = dict(
    pelvis='Hips',
    spine1='LowerBack',
    spine2='Spine',
    spine3='Spine1',
    neck='Neck',
    head='Head',
    **{
        f'{side}_{smpl}': side.capitalize() + cmu
        for side in ('left', 'right')
        for smpl, cmu in (
            ('hip', 'UpLeg'),
            ('knee', 'Leg'),
            ('ankle', 'Foot'),
            ('foot', 'ToeBase'),
            ('collar', 'Shoulder'),
            ('shoulder', 'Arm'),
            ('elbow', 'ForeArm'),
            ('wrist', 'Hand'),
        )
    },
)
# Bones whose direction at rest differs between skeletons (a BVH may rest
# with hanging arms): the joint at which they begin, and at which they end.
_BONES = {
    f'{side}_{a}': f'{side}_{b}'
    for side in ('left', 'right')
    for a, b in (
        ('hip', 'knee'),
        ('knee', 'ankle'),
        ('shoulder', 'elbow'),
        ('elbow', 'wrist'),
    )
}
_MAX_BYTES = 2**28
_MAX_DEGREES = 1e5
_BVH_FIX = 'export it again as BVH with the joint names of CMU'


def read_bvh(path: str | Path) -> np.ndarray:
    r"""Read a BVH file with CMU joint names: (T, 24, 3).

    With the global rotation :math:`G_j` of a BVH joint and the least rotation
    :math:`A_j` from SMPL's to the file's direction of the bone at rest,

    .. math:: R_j = (G_{p(j)} A_{p(j)})^{-1}\, G_j A_j .

    Joints that the file lacks stay as they are at rest.

    Args:
        path: file with +y up, whose skeleton faces +z at rest.

    Raises:
        UnusableFileError: no BVH, a number that is not finite, joints of
            other names, or limbs without length.
    """
    skeleton, turns = _parse_bvh(Path(path))
    needed = (
        'Hips',
        *(_CMU[joint] for bone in _BONES.items() for joint in bone),
    )
    missing = [n for n in dict.fromkeys(needed) if n not in turns]
    if missing:
        raise UnusableFileError(
            f'the BVH file has no joint {", ".join(missing)}; only the CMU '
            'names are known',
            path,
            _BVH_FIX,
        )
    for begin, end in _BONES.items():
        if np.allclose(skeleton[_CMU[begin]], skeleton[_CMU[end]]):
            raise UnusableFileError(
                f'{_CMU[begin]} and {_CMU[end]} of the BVH file are at one '
                'place',
                path,
                _BVH_FIX,
            )
    rest = rest_joints()
    total: dict[str, Rotation] = {}
    alignment: dict[str, Rotation] = {}
    result = np.zeros((len(turns['Hips']), 24, 3))
    for i, name in enumerate(_SMPL):
        parent = _SMPL[SMPL_PARENTS[i]]
        source = _CMU.get(name)
        if source not in turns:
            total[name] = total[parent]
            continue
        if name in _BONES:
            end = _BONES[name]
            alignment[name] = _least_rotation(
                rest[_SMPL.index(end)] - rest[i],
                skeleton[_CMU[end]] - skeleton[source],
            )
        elif name.endswith('wrist'):
            alignment[name] = alignment[parent]
        total[name] = turns[source] * alignment.get(name, Rotation.identity())
        local = total[name] if i == 0 else total[parent].inv() * total[name]
        result[:, i] = local.as_rotvec()
    return result


def _least_rotation(source: np.ndarray, target: np.ndarray) -> Rotation:
    source = source / np.linalg.norm(source)
    target = target / np.linalg.norm(target)
    axis = np.cross(source, target)
    size = np.linalg.norm(axis)
    if size < 1e-9:
        return Rotation.identity()
    return Rotation.from_rotvec(
        axis / size * np.arctan2(size, source @ target)
    )


def _parse_bvh(
    path: Path,
) -> tuple[dict[str, np.ndarray], dict[str, Rotation]]:
    """Rest position (3,) and global rotations (T) of every joint."""
    text = read_text(path, _MAX_BYTES)
    try:
        rest, order, values = _parse_text(text)
    except (IndexError, KeyError, UnboundLocalError, ValueError) as error:
        what = (
            ' '.join(str(error).split())[:200]
            if isinstance(error, ValueError)
            else 'its hierarchy or its frames are broken'
        )
        raise UnusableFileError(
            f'this is not a readable BVH file ({what})', path, _BVH_FIX
        ) from error
    turns: dict[str, Rotation] = {}
    start = 0
    for name, parent, channels in order:
        block = values[:, start : start + len(channels)]
        start += len(channels)
        axes = [i for i, c in enumerate(channels) if c.endswith('rotation')]
        local = Rotation.identity(len(values))
        if axes:
            local = Rotation.from_euler(
                ''.join(channels[i][0] for i in axes),
                block[:, axes],
                degrees=True,
            )
        turns[name] = local if parent is None else turns[parent] * local
    return rest, turns


_Order = list[tuple[str, str | None, list[str]]]


def _parse_text(text: str) -> tuple[dict[str, np.ndarray], _Order, np.ndarray]:
    """Rest positions, (joint, parent, channels) in order, frames (T, C)."""
    header, motion = text.split('MOTION', 1)
    rest: dict[str, np.ndarray] = {}
    order: _Order = []
    stack: list[str] = []
    for words in map(str.split, header.splitlines()):
        if not words:
            continue
        key = words[0]
        if key in ('ROOT', 'JOINT'):
            parent = stack[-1] if stack else None
            stack.append(words[1])
        elif key == 'End':
            stack.append('')  # The end of a limb has no name.
        elif key == 'OFFSET' and stack[-1]:
            offset = np.array([float(word) for word in words[1:4]])
            if offset.shape != (3,) or not np.isfinite(offset).all():
                raise ValueError(f'{stack[-1]} has no finite offset')
            if stack[-1] in rest:
                raise ValueError(f'{stack[-1]} is there twice')
            rest[stack[-1]] = offset + (0 if parent is None else rest[parent])
        elif key == 'CHANNELS':
            _check_channels(stack[-1], words)
            order.append((stack[-1], parent, words[2:]))
        elif key == '}':
            stack.pop()
    if not rest.keys() >= {name for name, *_ in order}:
        raise ValueError('joints have no offset')
    lines = motion.strip().splitlines()
    num_frames = int(lines[0].split(':')[1])
    num_channels = sum(len(channels) for *_, channels in order)
    rows = [line.split() for line in lines[2:] if line.strip()]
    if len(rows) != num_frames or not rows:
        raise ValueError(f'{len(rows)} frames, {num_frames} are announced')
    for number, row in enumerate(rows):
        if len(row) != num_channels:
            raise ValueError(
                f'{len(row)} values in frame {number} for {num_channels} '
                'channels'
            )
    values = np.array(rows, float)
    if not (np.abs(values) < _MAX_DEGREES).all():
        raise ValueError('values that are not finite, or no degrees')
    return rest, order, values


def _check_channels(name: str, words: list[str]) -> None:
    channels = words[2:]
    axes = [c[0] for c in channels if c.endswith('rotation')]
    if len(channels) != int(words[1]) or not all(
        c[0] in 'XYZ' and c[1:] in ('rotation', 'position') for c in channels
    ):
        raise ValueError(f'{name} has no proper channels')
    if len(axes) > 3 or any(a == b for a, b in pairwise(axes)):
        raise ValueError(f'{name} turns about one axis twice')
