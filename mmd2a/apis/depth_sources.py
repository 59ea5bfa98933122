"""Depth maps that go with pictures: files, arrays or none."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmd2a.apis.errors import InputError
from mmd2a.apis.person_batches import depth_map
from mmd2a.apis.picture_sources import Frame
from mmd2a.datasets.transforms.frame_files import read_depth
from mmd2a.files import UnusableFileError, open_regular_file

__all__ = ['DepthSource', 'depths_from']

#: Frame and its place among the inputs -> (H, W) float32 or None.
DepthSource = Callable[[Frame, int], NDArray[np.float32] | None]

_ENDINGS = ('.npy', '.png')


def depths_from(depths: Any, num_inputs: int, kind: str) -> DepthSource:
    """Make a source of whatever a caller gives as depth.

    Args:
        depths: None; a folder of ``STEM.npy`` or ``STEM.png``, one per
            picture; or, of one picture, a file or an array (H, W); or a list
            of those, None where there is none. Files are as
            :class:`~mmd2a.datasets.transforms.LoadFrame` reads them.
        num_inputs: pictures there are.
        kind: what they are, see :func:`~mmd2a.depth.depth_of_kind`.

    Raises:
        UnusableFileError: a file is not there.
        BadSampleError: a map cannot be used.
        InputError: maps of another number of pictures.
    """
    if depths is None:
        return lambda frame, index: None
    if isinstance(depths, (str, os.PathLike)) and os.path.isdir(depths):
        folder = Path(depths)
        return lambda frame, index: _read(_file_of(folder, frame), kind)
    if isinstance(depths, (str, os.PathLike)) or (
        isinstance(depths, np.ndarray) and depths.ndim == 2
    ):
        depths = [depths]
    maps: Sequence[Any] = list(depths)
    if len(maps) != num_inputs:
        raise InputError(
            f'there are {num_inputs} pictures, but {len(maps)} depth maps: '
            'give one per picture, or a folder of STEM.npy or STEM.png'
        )
    return lambda frame, index: _read(maps[index], kind)


def _file_of(folder: Path, frame: Frame) -> Path:
    for ending in _ENDINGS:
        path = folder / f'{frame.stem}{ending}'
        if path.exists():
            return path
    raise UnusableFileError(
        f'there is no depth map of {frame.path}',
        folder,
        f'add {frame.stem}.npy or {frame.stem}.png',
    )


def _read(depth: Any, kind: str) -> NDArray[np.float32] | None:
    """Depth, larger = farther, NaN where missing."""
    if isinstance(depth, (str, os.PathLike)):
        path = os.fspath(depth)
        with open_regular_file(path):
            pass  # Else the message would be about annotations.
        return read_depth(path, kind)
    return None if depth is None else depth_map(depth, kind)
