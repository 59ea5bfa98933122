"""How files are spoiled: what is common to all kinds, and the registry."""

import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

KINDS = (
    'annotations',
    'picture_jpg',
    'picture_png',
    'depth_png',
    'depth_npy',
    'mask_png',
    'mask_npy',
    'shard',
    'body',
    'regressor',
    'checkpoint',
    'old_checkpoint',
    'config_py',
    'config_yml',
    'config_json',
    'amass',
    'bvh',
)
#: Kinds whose format has checksums over all that matters.
CHECKED = (
    'picture_png',
    'depth_png',
    'mask_png',
    'shard',
    'body',
    'checkpoint',
    'amass',
)
#: What a file that is executed leaves in the current folder.
CANARY = 'canary'


@dataclass(frozen=True)
class Mutation:
    """A way to spoil a file.

    Args:
        name: what it is called in the tests.
        apply: spoils the file; draws from the generator.
        expect: ``'refused'``; ``'same'``, for what only looks unusual;
            ``'either'`` of the two; ``'form'``: either, or another value of
            the same form, where nobody could notice the change.
        names: what else than the file an error may name.
    """

    name: str
    apply: Callable[[Path, np.random.Generator], None]
    expect: str
    names: tuple[str, ...] = ()


MUTATIONS: dict[str, dict[str, Mutation]] = {kind: {} for kind in KINDS}


def add(
    kinds: str | tuple[str, ...],
    name: str,
    apply: Callable[[Path, np.random.Generator], None],
    expect: str = 'refused',
    names: tuple[str, ...] = (),
) -> None:
    """Register a mutation for some kinds."""
    for kind in (kinds,) if isinstance(kinds, str) else kinds:
        assert name not in MUTATIONS[kind], (kind, name)
        # Damaged people are made again.
        again = kind == 'shard' and expect == 'refused'
        MUTATIONS[kind][name] = Mutation(
            name, apply, 'either' if again else expect, names
        )


class Canary:
    """Unpickling it makes a folder."""

    def __reduce__(self):
        return os.mkdir, (CANARY,)


def _bytes(change: Callable[[bytearray, np.random.Generator], bytes]):
    def apply(path: Path, rng: np.random.Generator) -> None:
        path.write_bytes(change(bytearray(path.read_bytes()), rng))

    return apply


def _flip(data: bytearray, rng: np.random.Generator) -> bytes:
    data[rng.integers(len(data))] ^= 1 << rng.integers(8)
    return data


def _garble(data: bytearray, rng: np.random.Generator) -> bytes:
    start = rng.integers(len(data))
    end = min(len(data), start + rng.integers(1, 64))
    data[start:end] = rng.bytes(end - start)
    return data


def _drop(data: bytearray, rng: np.random.Generator) -> bytes:
    start = rng.integers(len(data))
    del data[start : start + rng.integers(1, 32)]
    return data


def _insert(data: bytearray, rng: np.random.Generator) -> bytes:
    start = rng.integers(len(data))
    data[start:start] = rng.bytes(rng.integers(1, 32))
    return data


def _zero_run(data: bytearray, rng: np.random.Generator) -> bytes:
    start = rng.integers(len(data))
    length = min(len(data) - start, int(rng.integers(1, 512)))
    data[start : start + length] = bytes(length)
    return data


def _cut(data: bytearray, rng: np.random.Generator) -> bytes:
    return data[: rng.integers(1, len(data))]


#: Changes drawn at random: worth several seeds each.
RANDOM = {
    'bit flipped': _flip,
    'bytes garbled': _garble,
    'bytes dropped': _drop,
    'bytes inserted': _insert,
    'bytes zeroed': _zero_run,
    'cut short': _cut,
}
for _name, _change in RANDOM.items():
    for _kind in KINDS:
        add(
            _kind,
            _name,
            _bytes(_change),
            'either' if _kind in CHECKED else 'form',
        )

PAGE = b'<!DOCTYPE html><html><body>404: Not Found</body></html>\n'
for _name, _data in {
    'web page': PAGE,
    'random bytes': np.random.default_rng(0).bytes(3000),
    'pickle': pickle.dumps(Canary()),
    'old pickle': pickle.dumps(Canary(), protocol=0),
    'one byte': b'\x00',
    'text': 'ünï\n'.encode('latin-1'),
}.items():
    add(KINDS, _name, lambda path, _, data=_data: _put(path, data))
# Nothing at all is an empty config, which has no part that a run needs.
add(
    tuple(k for k in KINDS if not k.startswith('config')),
    'empty',
    lambda path, _: _put(path, b''),
)
add(
    tuple(k for k in KINDS if k.startswith('config')),
    'empty',
    lambda path, _: _put(path, b''),
    'form',
)
add(KINDS, 'all zero', lambda path, _: _put(path, bytes(path.stat().st_size)))


def _put(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _instead(make: Callable[[Path], None]):
    def apply(path: Path, _) -> None:
        path.unlink()
        make(path)

    return apply


def _unreadable_folder(path: Path) -> None:
    path.mkdir()
    (path / 'inside').write_text('a file in a folder')


for _name, _make in {
    'missing': lambda path: None,
    'folder': _unreadable_folder,
    'link to itself': lambda path: path.symlink_to(path.name),
    'link to nothing': lambda path: path.symlink_to('nowhere'),
    'pipe': os.mkfifo,
    'endless zeros': lambda path: path.symlink_to('/dev/zero'),
    'endless noise': lambda path: path.symlink_to('/dev/random'),
    'nothing': lambda path: path.symlink_to('/dev/null'),
    'file under a file': lambda path: (
        path.write_bytes(b'x'),
        path.rename(path.parent / 'was'),
        path.symlink_to('was/below'),
    ),
}.items():
    add(KINDS, _name, _instead(_make))
