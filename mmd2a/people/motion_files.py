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

from mmd2a.files import UnusableFileError, open_regular_file, read_npz
from mmd2a.people.bvh_files import read_bvh

__all__ = [
    'check_motions',
    'frames_of_split',
    'list_motion_files',
    'read_amass',
    'read_bvh',
    'read_motions',
    'read_split',
]

# Which tenths of every clip belong to which split.
_TENTHS = dict(train=range(8), val=range(8, 9), test=range(9, 10))
# A message names this many files at most.
_NAMED_FILES = 5
# Half an hour of AMASS at 120 frames a second.
_MAX_BYTES = 2**28
# Nobody turns further from rest than a few times around.
_MAX_RADIANS = 50.0
_AMASS_FIX = 'give a file of AMASS, or make it again'


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
                f'no motion file or folder at {path.absolute()}. Correct the '
                'path in motions'
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
            + '. Give files of motions, or folders that have some'
        )
    return files, skipped


def _lacks_poses(path: Path) -> bool:
    if path.suffix.lower() != '.npz':
        return False
    try:
        return 'poses' not in _array_names(path)
    except UnusableFileError:
        return False  # Damaged: whoever reads it says so.


def _array_names(path: str | Path) -> list[str]:
    with open_regular_file(path) as file:
        try:
            names = zipfile.ZipFile(file).namelist()
        except (zipfile.BadZipFile, ValueError, RuntimeError) as error:
            raise UnusableFileError(
                f'the file is no npz archive ({error})', path, _AMASS_FIX
            ) from error
    return [name.removesuffix('.npy') for name in names]


def read_motions(paths: str | Sequence[str]) -> list[np.ndarray]:
    """Read every motion in files and folders: clips (T, 24, 3)."""
    return list(_clips(list_motion_files(paths)))


def _clips(files: list[Path]) -> Iterator[np.ndarray]:
    readers = {'.bvh': read_bvh, '.npz': read_amass}
    for file in files:
        if file.suffix.lower() not in readers:
            raise UnusableFileError(
                'the motion is neither .bvh nor .npz', file, 'convert it'
            )
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

    Raises:
        UnusableFileError: no npz, or "poses" are no finite poses in radians.
    """
    names = _array_names(path)
    if 'poses' not in names:
        raise UnusableFileError(
            f'the file has no array "poses" (only {", ".join(names[:12])})',
            path,
            _AMASS_FIX,
        )
    poses = read_npz(path, ['poses'], _MAX_BYTES)['poses']
    problem = None
    if poses.ndim != 2 or poses.shape[1] not in (72, 156, 165):
        problem = f'has shape {poses.shape}, expected (T, 72) or (T, 156)'
    elif poses.dtype.kind not in 'fi':
        problem = f'is {poses.dtype}, not numbers'
    elif not len(poses):
        problem = 'has no frames'
    elif not np.isfinite(poses).all():
        problem = 'has values that are not finite'
    elif np.abs(poses).max() > _MAX_RADIANS:
        problem = f'turns by {np.abs(poses).max():.3g}, which are no radians'
    if problem is not None:
        raise UnusableFileError(f'"poses" {problem}', path, _AMASS_FIX)
    poses = poses.astype(np.float64)
    result = np.zeros((len(poses), 24, 3))
    result[:, :22] = poses[:, :66].reshape(-1, 22, 3)
    to_y_up = Rotation.from_euler('x', -90, degrees=True)
    result[:, 0] = (to_y_up * Rotation.from_rotvec(result[:, 0])).as_rotvec()
    return result
