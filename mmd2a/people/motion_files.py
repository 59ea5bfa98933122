"""Read users' own motions: BVH with CMU joint names, and AMASS npz.

Both become SMPL poses in a world with +y up: (T, 24, 3) axis-angle, radians,
the root first. T: frames.
"""

import logging
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from scipy.spatial.transform import Rotation

from mmd2a.body_models.joint_sets import JOINT_SETS, SMPL_PARENTS
from mmd2a.people.collisions import rest_joints

__all__ = [
    'check_motions',
    'frames_of_split',
    'list_motion_files',
    'read_amass',
    'read_bvh',
    'read_motions',
    'read_split',
]

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
# Which tenths of every clip belong to which split.
_TENTHS = dict(train=range(8), val=range(8, 9), test=range(9, 10))
# A message names this many files at most.
_NAMED_FILES = 5


def list_motion_files(paths: str | Sequence[str]) -> list[Path]:
    """Find the ``.bvh`` and ``.npz`` files in files and folders, sorted.

    Of a folder, those ``.npz`` are left out that have no array ``poses``: the
    folders of AMASS hold shapes beside the motions.
    """
    return _scan(paths)[0]


def _scan(paths: str | Sequence[str]) -> tuple[list[Path], int]:
    """Motion files, and how many npz of folders are none."""
    paths = [paths] if isinstance(paths, (str, Path)) else list(paths)
    files: list[Path] = []
    skipped = 0
    for path in map(Path, paths):
        if not path.exists():
            raise FileNotFoundError(
                f'no motion file or folder at {path.absolute()}'
            )
        found = (
            [path]
            if path.is_file()
            else sorted(
                p
                for p in path.rglob('*')
                if p.suffix.lower() in ('.bvh', '.npz')
            )
        )
        motions = [p for p in found if p == path or not _lacks_poses(p)]
        skipped += len(found) - len(motions)
        files += motions
    if not files:
        raise FileNotFoundError(
            f'no .bvh or .npz motion in {", ".join(map(str, paths))}'
            + (
                f' (only {skipped} .npz without an array "poses")'
                if skipped
                else ''
            )
        )
    return files, skipped


def _lacks_poses(path: Path) -> bool:
    if path.suffix.lower() != '.npz':
        return False
    try:
        with zipfile.ZipFile(path) as file:
            return 'poses.npy' not in file.namelist()
    except (OSError, zipfile.BadZipFile):
        return False  # Damaged: whoever reads it says so.


def read_motions(paths: str | Sequence[str]) -> list[np.ndarray]:
    """Read every motion in files and folders: clips (T, 24, 3)."""
    return list(_clips(list_motion_files(paths)))


def _clips(files: list[Path]) -> Iterator[np.ndarray]:
    readers = {'.bvh': read_bvh, '.npz': read_amass}
    for file in files:
        if file.suffix.lower() not in readers:
            raise ValueError(f'{file} is neither .bvh nor .npz')
        yield readers[file.suffix.lower()](file)


def check_motions(paths: str | Sequence[str], split: str) -> None:
    """Raise a ValueError when no motion is long enough for a split.

    Reads no further than the first that is. Logs how many files of folders
    are not motions.
    """
    files, skipped = _scan(paths)
    if skipped:
        print_log(
            f'{skipped} .npz files without an array "poses" are '
            f'skipped, {len(files)} motions are used.',
            logger='current',
            level=logging.INFO,
        )
    _refuse_short(files, split)


def _refuse_short(files: list[Path], split: str) -> None:
    if split not in _TENTHS or any(
        len(frames_of_split([clip], split)) for clip in _clips(files)
    ):
        return
    names = ', '.join(map(str, files[:_NAMED_FILES]))
    if len(files) > _NAMED_FILES:
        names += f' and {len(files) - _NAMED_FILES} more'
    raise ValueError(
        f'no motion is long enough for the split {split!r}: '
        f'need at least 10 frames, all of these have fewer: '
        f'{names}'
    )


def read_split(paths: str | Sequence[str], split: str) -> np.ndarray:
    """Frames (T, 24, 3) of a split of all motions in files and folders."""
    files = list_motion_files(paths)
    _refuse_short(files, split)
    return frames_of_split(list(_clips(files)), split)


def frames_of_split(clips: list[np.ndarray], split: str) -> np.ndarray:
    """Frames (T, 24, 3) of a split.

    Of every clip the first eight tenths are for training, the ninth for
    validation and the tenth for testing.
    """
    if split not in _TENTHS:
        return np.zeros((0, 24, 3))
    return np.concatenate(
        [
            np.concatenate(
                [np.array_split(clip, 10)[i] for i in _TENTHS[split]]
            )
            for clip in clips
        ]
    )


def read_amass(path: str | Path) -> np.ndarray:
    """Read an AMASS file: (T, 24, 3).

    Args:
        path: npz with ``poses`` (T, 156) of SMPL-H or (T, 72) of SMPL in a
            world with +z up. Hands are left straight.
    """
    with np.load(path, allow_pickle=False) as file:
        if 'poses' not in file:
            raise ValueError(
                f'{path} has no array "poses" '
                f'(only {", ".join(file.files)}): not AMASS'
            )
        poses = np.asarray(file['poses'], np.float64)
    if poses.ndim != 2 or poses.shape[1] not in (72, 156, 165):
        raise ValueError(
            f'"poses" of {path} has shape {poses.shape}, '
            f'expected (T, 72) or (T, 156)'
        )
    if not np.isfinite(poses).all():
        raise ValueError(f'"poses" of {path} has values that are not finite')
    result = np.zeros((len(poses), 24, 3))
    result[:, :22] = poses[:, :66].reshape(-1, 22, 3)
    to_y_up = Rotation.from_euler('x', -90, degrees=True)
    result[:, 0] = (to_y_up * Rotation.from_rotvec(result[:, 0])).as_rotvec()
    return result


def read_bvh(path: str | Path) -> np.ndarray:
    r"""Read a BVH file with CMU joint names: (T, 24, 3).

    With the global rotation :math:`G_j` of a BVH joint and the least rotation
    :math:`A_j` from SMPL's to the file's direction of the bone at rest,

    .. math:: R_j = (G_{p(j)} A_{p(j)})^{-1}\, G_j A_j .

    Joints that the file lacks stay as they are at rest.

    Args:
        path: file with +y up, whose skeleton faces +z at rest.
    """
    skeleton, turns = _parse_bvh(Path(path))
    missing = [
        n for n in ('Hips', *(_CMU[b] for b in _BONES)) if n not in skeleton
    ]
    if missing:
        raise ValueError(
            f'{path} has no joint {", ".join(missing)}; only '
            f'the CMU names are known'
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
    try:
        header, motion = path.read_text().split('MOTION', 1)
        rest: dict[str, np.ndarray] = {}
        order: list[tuple[str, str | None, list[str]]] = []
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
                offset = np.array(words[1:4], float)
                rest[stack[-1]] = offset + (
                    0 if parent is None else rest[parent]
                )
            elif key == 'CHANNELS':
                order.append((stack[-1], parent, words[2:]))
            elif key == '}':
                stack.pop()
        lines = motion.strip().splitlines()
        values = np.array(
            [line.split() for line in lines[2:] if line.strip()], float
        )
        num_frames = int(lines[0].split(':')[1])
        num_channels = sum(len(channels) for *_, channels in order)
        if values.shape != (num_frames, num_channels):
            raise ValueError(
                f'{values.shape} values for {num_frames} frames '
                f'of {num_channels} channels'
            )
    except (ValueError, IndexError, KeyError, UnboundLocalError) as error:
        raise ValueError(
            f'{path} is not a readable BVH file: {error}'
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
