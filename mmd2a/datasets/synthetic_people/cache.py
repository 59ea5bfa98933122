"""People on disk: shards that appear whole or not at all.

A shard is a folder of ``shard_size`` people. It is written under a temporary
name and renamed, so that a reader never meets half of one, and it is guarded
by a file lock, so that any number of processes can build one cache together:
each takes the shards that nobody else has in hand.
"""

import errno
import functools
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from filelock import AcquireReturnProxy, FileLock, Timeout

from mmd2a.body_models.embedded import EMBEDDED_BODY_PATH
from mmd2a.people.motion_files import list_motion_files, read_split
from mmd2a.people.person import Person, render_person
from mmd2a.people.poses import SPLITS

__all__ = ['GENERATOR_VERSION', 'Cache', 'encode_person', 'explain_os_error']

#: To be raised whenever the same seed gives other people.
GENERATOR_VERSION = 2

_ANNOTATIONS = 'annotations.npz'
_SUFFIXES = ('.jpg', '_depth.png', '_mask.png', '_parts.png')
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_NO_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP)


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
    """

    data_root: str
    split: str
    image_size: int = 256
    seed: int = 0
    shard_size: int = 100
    motions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ValueError(
                f'split must be one of {", ".join(SPLITS)}, not {self.split!r}'
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
        if self.motions:
            for file in list_motion_files(self.motions):
                digest.update(hashlib.sha256(file.read_bytes()).digest())
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
        """Whether a shard has all its files and readable annotations.

        Empty files count as absent: a computer that loses its power may keep
        the name of a file and not what was in it.
        """
        folder = self.shard_folder(shard)
        try:
            with os.scandir(folder) as entries:
                names = {e.name for e in entries if e.stat().st_size}
            with np.load(folder / _ANNOTATIONS, allow_pickle=False) as file:
                number = len(file['motion'])
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
            return False
        return number == self.shard_size and all(
            f'{i:06d}{suffix}' in names
            for i in self.indices(shard)
            for suffix in _SUFFIXES
        )

    def indices(self, shard: int) -> range:
        """Numbers of a shard's people in the split."""
        return range(shard * self.shard_size, (shard + 1) * self.shard_size)

    def read_annotations(self, shard: int) -> dict[str, np.ndarray]:
        """Labels of a shard's people, see :class:`Person`; S first."""
        with np.load(
            self.shard_folder(shard) / _ANNOTATIONS, allow_pickle=False
        ) as file:
            return {name: file[name] for name in file.files}

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
                if target.exists():
                    damaged = self.folder / f'.{target.name}.damaged'
                    os.rename(target, damaged)
                    shutil.rmtree(damaged)
                os.rename(temporary, target)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        return True

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
                self.seed, self.split, index, self.image_size, frames
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
        np.savez(folder / _ANNOTATIONS, **arrays)


def encode_person(person: Person) -> tuple[bytes, bytes, bytes, bytes]:
    """Compress the images: JPEG, and depth, mask and parts as PNG."""
    fast = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    flat = fast + [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    return (
        _encode('.jpg', person.image, [cv2.IMWRITE_JPEG_QUALITY, 95]),
        _encode('.png', person.depth, fast),
        _encode('.png', person.mask, flat),
        _encode('.png', person.parts, flat),
    )


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file; unlike ``cv2.imwrite`` this fails loudly."""
    path.write_bytes(data)


def explain_os_error(
    error: OSError, cache: Cache, num_missing: int
) -> OSError:
    """Say what a user can do about a disk that cannot hold the people.

    Args:
        error: what the operating system said.
        cache: what was being written.
        num_missing: people that still had to be written.
    """
    root = Path(cache.data_root).absolute()
    if error.errno in _NO_SPACE:
        existing = root
        while not existing.exists():
            existing = existing.parent
        free = shutil.disk_usage(existing).free / 1e9
        need = num_missing * bytes_per_person(cache.image_size) / 1e9
        return OSError(
            error.errno,
            f'the disk of {root} is full: {num_missing} '
            f'synthetic people of {cache.image_size} px need about '
            f'{need:.2f} GB more, {free:.2f} GB are free. Make room, choose '
            f'a folder on another disk by data_root, or ask for fewer or '
            f'smaller people (num_people, image_size). Finished shards are '
            f'kept; nothing half-written is left.',
        )
    if error.errno in _NO_LOCKS:
        return OSError(
            error.errno,
            f'the file system of data_root has no locks; set '
            f'data_root to a local disk (data_root is {root}: '
            f'{error.strerror})',
        )
    if error.errno in _NO_PERMISSION or isinstance(
        error, (FileExistsError, NotADirectoryError)
    ):
        return type(error)(
            error.errno,
            f'cannot write synthetic people to {root} '
            f'({error.strerror}). Set data_root to a folder that you may '
            f'write to',
        )
    return error


def bytes_per_person(image_size: int) -> float:
    """Expected size on disk of one person, with a margin."""
    return 10_000 + image_size**2


def _encode(suffix: str, image: np.ndarray, options: list[int]) -> bytes:
    done, data = cv2.imencode(suffix, image, options)
    if not done:
        raise RuntimeError(f'OpenCV cannot write {suffix} files')
    return data.tobytes()
