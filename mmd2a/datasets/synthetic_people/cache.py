"""People on disk: shards that appear whole or not at all.

A shard is a folder of ``shard_size`` people. It is written under a temporary
name and renamed, so that a reader never meets half of one, and it is guarded
by a file lock, so that any number of processes can build one cache together:
each takes the shards that nobody else has in hand.
"""

import functools
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from filelock import AcquireReturnProxy, FileLock, Timeout

from mmd2a.body_models.embedded import EMBEDDED_BODY_PATH
from mmd2a.datasets.synthetic_people.shard_labels import read_shard_labels
from mmd2a.files import read_bytes
from mmd2a.people.motion_files import list_motion_files, read_split
from mmd2a.people.person import LOOKS, Person, render_person
from mmd2a.people.poses import SPLITS

__all__ = ['GENERATOR_VERSION', 'Cache', 'encode_person']

#: To be raised whenever the same seed gives other people, or other files.
GENERATOR_VERSION = 4
# The same for looks that are not plain, whose people alone change then.
_LOOKS_VERSION = 1

ANNOTATIONS = 'annotations.npz'
_SUFFIXES = ('.jpg', '_depth.npy', '_mask.npy', '_parts.png')


@dataclass(frozen=True)
class Cache:
    """Where the people of one split lie, and how they are made.

    Args:
        data_root: folder of all caches.
        split: 'train', 'val', 'test' or 'ood'.
        image_size: width and height, pixels.
        seed: seed of the data set.
        shard_size: people per shard.
        motions: files or folders with the user's own motions.
        looks: 'plain', 'photo' or 'mixed', see
            :func:`~mmd2a.people.render_person`.
    """

    data_root: str
    split: str
    image_size: int = 256
    seed: int = 0
    shard_size: int = 100
    motions: tuple[str, ...] = ()
    looks: str = 'plain'

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ValueError(
                f'split must be one of {", ".join(SPLITS)}, not {self.split!r}'
            )
        if self.looks not in LOOKS:
            raise ValueError(
                f'looks must be one of {", ".join(LOOKS)}, not {self.looks!r}'
            )
        for name in ('image_size', 'shard_size'):
            if getattr(self, name) < 1:
                raise ValueError(
                    f'{name} must be positive, not {getattr(self, name)}'
                )
        if self.seed < 0:
            raise ValueError(f'seed must not be negative, but is {self.seed}')

    @functools.cached_property
    def fingerprint(self) -> str:
        """8 hexadecimal digits that name everything that changes the bytes."""
        digest = hashlib.sha256(
            repr(
                (
                    GENERATOR_VERSION,
                    self.image_size,
                    self.shard_size,
                    self.seed,
                    self.split,
                )
            ).encode()
        )
        digest.update(EMBEDDED_BODY_PATH.read_bytes())
        if self.looks != 'plain':
            digest.update(repr((self.looks, _LOOKS_VERSION)).encode())
        if self.motions:
            for file in list_motion_files(self.motions):
                digest.update(hashlib.sha256(read_bytes(file)).digest())
        return digest.hexdigest()[:8]

    @property
    def folder(self) -> Path:
        """Folder of the split's shards."""
        return Path(self.data_root) / (
            f'{self.split}_{self.image_size}px_seed{self.seed}_'
            f'{self.fingerprint}'
        )

    def shard_folder(self, shard: int) -> Path:
        """Folder of one shard."""
        return self.folder / f'shard_{shard:05d}'

    def shards_for(self, num_people: int) -> range:
        """Shards that hold the first ``num_people`` people."""
        return range(-(-num_people // self.shard_size))

    def missing_shards(self, num_people: int) -> list[int]:
        """Shards that are absent or damaged."""
        return [
            s for s in self.shards_for(num_people) if not self.is_complete(s)
        ]

    def is_complete(self, shard: int) -> bool:
        """Whether a shard has all its files and whole annotations.

        Empty files count as absent: a computer that loses its power may keep
        the name of a file and not what was in it. So do folders and devices
        in the place of files.
        """
        try:
            with os.scandir(self.shard_folder(shard)) as entries:
                names = {
                    e.name for e in entries if e.is_file() and e.stat().st_size
                }
            self.read_annotations(shard)
        except OSError:
            return False
        return all(
            f'{i:06d}{suffix}' in names
            for i in self.indices(shard)
            for suffix in _SUFFIXES
        )

    def indices(self, shard: int) -> range:
        """Numbers of a shard's people in the split."""
        return range(shard * self.shard_size, (shard + 1) * self.shard_size)

    def read_annotations(self, shard: int) -> dict[str, np.ndarray]:
        """Labels of a shard's people, see :func:`read_shard_labels`."""
        return read_shard_labels(
            self.shard_folder(shard) / ANNOTATIONS, self.indices(shard)
        )

    def build_shards(
        self,
        shards: Iterable[int],
        on_person: Callable[[], None] = lambda: None,
        read_frames: Callable[[], np.ndarray | None] | None = None,
    ) -> list[int]:
        """Make shards, except those that another process has in hand.

        Args:
            shards: numbers of the shards.
            on_person: called after each person.
            read_frames: in place of :meth:`read_frames`, for whoever keeps
                the frames between calls.

        Returns:
            list[int]: the shards made here.
        """
        # Not before there is something to make.
        read_frames = functools.cache(read_frames or self.read_frames)
        threads = torch.get_num_threads()
        # Sums in another order would be other bytes.
        torch.set_num_threads(1)
        try:
            return [
                s for s in shards if self._build(s, read_frames, on_person)
            ]
        finally:
            torch.set_num_threads(threads)

    def read_frames(self) -> np.ndarray | None:
        """Frames (T, 24, 3) of the user's motions, if the split has any."""
        if not self.uses_motions:
            return None
        return read_split(self.motions, self.split)

    @property
    def uses_motions(self) -> bool:
        """Whether people take poses from the user's motions."""
        return bool(self.motions) and self.split != 'ood'

    def lock_path(self, shard: int) -> Path:
        """File that is locked while somebody makes a shard."""
        return self.folder / '.locks' / f'shard_{shard:05d}.lock'

    def is_free(self, shard: int) -> bool:
        """Whether nobody is making a shard now."""
        try:
            with self._lock(shard):
                return True
        except Timeout:
            return False

    def to_json(self) -> str:
        """Text from which :meth:`from_json` makes an equal object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> 'Cache':
        """Undo :meth:`to_json`."""
        fields = json.loads(text)
        return cls(**{**fields, 'motions': tuple(fields['motions'])})

    def _lock(self, shard: int) -> AcquireReturnProxy:
        path = self.lock_path(shard)
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(path).acquire(timeout=0)

    def _build(
        self,
        shard: int,
        read_frames: Callable[[], np.ndarray | None],
        on_person: Callable[[], None],
    ) -> bool:
        try:
            held = self._lock(shard)
        except Timeout:
            return False
        with held:
            if self.is_complete(shard):
                return False
            target = self.shard_folder(shard)
            # Whoever holds the lock owns the shard's names: what lies there
            # is left from a writer that died.
            for rest in self.folder.glob(f'.{target.name}.*'):
                shutil.rmtree(rest, ignore_errors=True)
            temporary = self.folder / f'.{target.name}.{os.getpid()}.tmp'
            try:
                temporary.mkdir()
                self._write_people(temporary, shard, read_frames(), on_person)
                self._clear(target)
                os.rename(temporary, target)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        return True

    def _clear(self, target: Path) -> None:
        """Take away what stands in the place of a shard, whatever it is."""
        if target.is_symlink() or target.exists() and not target.is_dir():
            target.unlink()
        elif target.exists():
            damaged = self.folder / f'.{target.name}.damaged'
            os.rename(target, damaged)
            shutil.rmtree(damaged)

    def _write_people(
        self,
        folder: Path,
        shard: int,
        frames: np.ndarray | None,
        on_person: Callable[[], None],
    ) -> None:
        labels: dict[str, list] = dict(index=[], motion=[])
        for index in self.indices(shard):
            person = render_person(
                self.seed,
                self.split,
                index,
                self.image_size,
                frames,
                self.looks,
            )
            for suffix, data in zip(_SUFFIXES, encode_person(person)):
                write_bytes(folder / f'{index:06d}{suffix}', data)
            labels['index'].append(index)
            labels['motion'].append(person.motion)
            for name, value in person.labels.items():
                labels.setdefault(name, []).append(value)
            on_person()
        arrays: dict[str, Any] = {
            name: np.array(values) for name, values in labels.items()
        }
        np.savez(folder / ANNOTATIONS, **arrays)


def encode_person(person: Person) -> tuple[bytes, bytes, bytes, bytes]:
    """Encode the images: JPEG, depth and mask as NumPy, parts as PNG.

    What a training reads for every person is not compressed: taking depth
    apart again would cost more time than everything else that is done to it,
    a mask of 256 px ten times as much as reading 64 kB.
    """
    fast = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    flat = fast + [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    return (
        _encode('.jpg', person.image, [cv2.IMWRITE_JPEG_QUALITY, 95]),
        _array_file(person.depth),
        _array_file(person.mask),
        _encode('.png', person.parts, flat),
    )


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file; unlike ``cv2.imwrite`` this fails loudly."""
    path.write_bytes(data)


def _encode(suffix: str, image: np.ndarray, options: list[int]) -> bytes:
    done, data = cv2.imencode(suffix, image, options)
    if not done:
        raise RuntimeError(f'OpenCV cannot write {suffix} files')
    return data.tobytes()


def _array_file(array: np.ndarray) -> bytes:
    """What ``numpy.save`` writes."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
