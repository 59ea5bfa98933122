"""People as a lifter sees them: joints, and depth of several qualities."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from mmd2a.datasets import SyntheticPeople
from mmd2a.datasets.synthetic_people import Cache
from mmd2a.depth import DepthDegradation, degrade_depth, normalize_depth
from mmd2a.files import write_bytes
from mmd2a.geometry import normalize_keypoints2d, root_position

SIZE = 96  # of a crop


class People(NamedTuple):
    """Joints of people (N, J, 2) and (N, J, 3), and their depth by level."""

    keypoints2d: Tensor
    keypoints3d: Tensor
    depth: dict[float, np.ndarray]

    def part(self, rows: slice) -> 'People':
        """Some of the people."""
        depth = {level: maps[rows] for level, maps in self.depth.items()}
        return People(self.keypoints2d[rows], self.keypoints3d[rows], depth)


def read_people(
    cache: Cache, count: int, levels: Sequence[float], folder: Path
) -> People:
    """Crop people and degrade their depth, once; afterwards read that.

    Args:
        cache: which people.
        count: N.
        levels: of the degradation of depth; 0: exact.
        folder: where the crops are kept.
    """
    names = ['keypoints2d', 'keypoints3d', *(f'depth{x:g}' for x in levels)]
    name_of = f'{cache.split}_{cache.fingerprint}_{count}'
    files = {name: folder / f'{name_of}_{name}.npy' for name in names}
    if not all(file.exists() for file in files.values()):
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in _crop_people(cache, count, levels).items():
            data = io.BytesIO()
            np.save(data, np.stack(rows), allow_pickle=False)
            write_bytes(files[name], data.getvalue())
    arrays = {
        name: np.load(file, mmap_mode='r', allow_pickle=False)
        for name, file in files.items()
    }
    return People(
        torch.from_numpy(np.array(arrays['keypoints2d'])),
        torch.from_numpy(np.array(arrays['keypoints3d'])),
        {level: arrays[f'depth{level:g}'] for level in levels},
    )


def _crop_people(
    cache: Cache, count: int, levels: Sequence[float]
) -> dict[str, list[np.ndarray]]:
    """Arrays of every person: joints, and normalised depth, NaN: none."""
    people = SyntheticPeople(
        cache.data_root,
        cache.split,
        count,
        cache.image_size,
        cache.seed,
        test_mode=True,
        pipeline=[
            dict(type='mmd2a.LoadFrame', with_mask=False),
            dict(type='mmd2a.PersonCrop', size=SIZE),
        ],
    )
    names = people.metainfo['joint_names']
    root = [names.index(f'{side}_hip') for side in ('left', 'right')]
    found: dict[str, list[np.ndarray]] = {}

    def keep(name: str, value: Tensor, kind: Any = np.float32) -> None:
        found.setdefault(name, []).append(value.numpy().astype(kind))

    for index in tqdm(range(count), desc=f'crop {cache.split}', leave=False):
        crop = people[index]
        flat = torch.from_numpy(np.asarray(crop['keypoints2d'], np.float32))
        joints = torch.from_numpy(np.asarray(crop['keypoints3d'], np.float32))
        keep('keypoints2d', normalize_keypoints2d(flat, (SIZE, SIZE)))
        keep('keypoints3d', joints - root_position(joints, root))
        for level in levels:
            depth = crop['depth']
            if level:
                # The same errors at every level, only larger.
                depth = degrade_depth(
                    depth,
                    np.random.default_rng([index, len(cache.split)]),
                    DepthDegradation().at_level(level),
                )
            maps = normalize_depth(torch.from_numpy(depth)[None, None])[0]
            value = torch.where(maps[1] > 0, maps[0], torch.nan)
            keep(f'depth{level:g}', value, np.float16)
    return found
