"""Arrays and archives of arrays that are not what they seem.

Over 350 lines because it is one table, kind by kind.
"""

import functools
import io
import os
import pickle
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kit.mutations import Canary, add

BIG = 2**29


@functools.cache
def zeros_deflated() -> bytes:
    """Half a gigabyte of zeros as raw deflate."""
    block = bytes(2**24)
    squeezed = zlib.compressobj(9, zlib.DEFLATED, -15)
    one = squeezed.compress(block) + squeezed.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(9, zlib.DEFLATED, -15).flush()
    return one * (BIG // len(block)) + end


def write_bomb(path: Path, name: str, head: bytes) -> None:
    """An archive of one member that swells to half a gigabyte."""
    start = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = start.compress(head) + start.flush(zlib.Z_FULL_FLUSH)
    data += zeros_deflated()
    crc = zlib.crc32(head)
    for _ in range(BIG // 2**24):
        crc = zlib.crc32(bytes(2**24), crc)
    encoded = name.encode()
    fields = struct.pack(
        '<HHHHHIIIHH',
        20,
        0,
        8,
        0,
        0x21,
        crc,
        len(data),
        len(head) + BIG,
        len(encoded),
        0,
    )
    local = b'PK\x03\x04' + fields + encoded
    central = (
        b'PK\x01\x02\x14\x00'
        + fields
        + struct.pack('<HHHII', 0, 0, 0, 0, 0)
        + encoded
    )
    offset = len(local) + len(data)
    end = b'PK\x05\x06' + struct.pack(
        '<HHHHIIH', 0, 0, 1, 1, len(central), offset, 0
    )
    path.write_bytes(local + data + central + end)


def npy_header(shape: tuple[int, ...], dtype: str = '<f4') -> bytes:
    """The beginning of an npy file, without its values."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, dict(descr=dtype, fortran_order=False, shape=shape)
    )
    return buffer.getvalue()


def object_array() -> np.ndarray:
    """An array that is a pickle."""
    array = np.empty(1, object)
    array[0] = Canary()
    return array


def of_array(change: Callable[[np.ndarray], np.ndarray]):
    """Change the array of an npy file."""

    def apply(path: Path, _) -> None:
        np.save(path, change(np.load(path)))

    return apply


def of_arrays(change: Callable[[dict], dict | None]):
    """Change the arrays of an npz file."""

    def apply(path: Path, _) -> None:
        with np.load(path) as file:
            arrays = dict(file)
        np.savez(path, **(change(arrays) or arrays))

    return apply


def of_member(key: str, change: Callable[[np.ndarray], np.ndarray]):
    """Change one array of an npz file."""

    def edit(arrays: dict) -> dict:
        return {**arrays, key: change(arrays[key])}

    return of_arrays(edit)


def without(key: str):
    """Leave out one array of an npz file."""
    return of_arrays(lambda a: {k: v for k, v in a.items() if k != key})


def raw_member(key: str, data: bytes):
    """Replace the bytes of a member of an npz file."""

    def apply(path: Path, _) -> None:
        with zipfile.ZipFile(path) as file:
            members = {n: file.read(n) for n in file.namelist()}
        members[key] = data
        with zipfile.ZipFile(path, 'w') as file:
            for name, content in members.items():
                file.writestr(name, content)

    return apply


def nan_at_one(array: np.ndarray) -> np.ndarray:
    array = np.array(array, np.float64)
    array.flat[-1] = np.nan
    return array


def infinite_at_one(array: np.ndarray) -> np.ndarray:
    array = np.array(array, np.float64)
    array.flat[-1] = -np.inf
    return array


#: What is wrong with any array of numbers that has a set shape.
WRONG = {
    'as objects': lambda a: object_array(),
    'as text': lambda a: a.astype('U8'),
    'as dates': lambda a: a.astype(np.int64).astype('M8[s]'),
    'complex': lambda a: a.astype(np.complex64),
    'with NaN': nan_at_one,
    'infinite': infinite_at_one,
    'a row short': lambda a: a[:-1],
    'a row too many': lambda a: np.concatenate([a, a[:1]]),
    'no rows': lambda a: a[:0],
    'flat': np.ravel,
    'nested': lambda a: a[None],
    'one number': lambda a: np.float32(1),
    'records': lambda a: np.zeros(a.shape, [('x', 'f4'), ('y', 'i4')]),
}
#: What is unusual and right.
UNUSUAL = {
    'float16': lambda a: a.astype(np.float16),
    'float64': lambda a: a.astype(np.float64),
    'big-endian': lambda a: a.astype(a.dtype.newbyteorder('>')),
    'by columns': np.asfortranarray,
}

# --- bodies -----------------------------------------------------------------
FLOATS = ('v_template', 'shapedirs', 'posedirs', 'J_regressor', 'weights')
for _key in (*FLOATS, 'f', 'kintree_table'):
    add('body', f'{_key} missing', without(_key))
    for _name, _change in WRONG.items():
        # Any number of faces is a body, any row order is a face.
        harmless = _key == 'f' and _name in ('a row short', 'a row too many')
        if not harmless:
            add('body', f'{_key} {_name}', of_member(_key, _change))
    for _name, _change in UNUSUAL.items():
        if _key in FLOATS or _name in ('big-endian', 'by columns'):
            add('body', f'{_key} {_name}', of_member(_key, _change), 'same')


def _put(index, value) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array[index] = value
        return array

    return change


def _as_smplx(arrays: dict) -> dict:
    """Sizes and keys of SMPL-X: 10,475 vertices, 55 joints."""
    return dict(
        v_template=np.zeros((10475, 3), np.float32),
        f=np.zeros((20908, 3), np.uint32),
        shapedirs=np.zeros((10475, 3, 20), np.float32),
        posedirs=np.zeros((10475, 3, 4), np.float32),
        J_regressor=np.zeros((55, 10475), np.float32),
        weights=np.zeros((10475, 55), np.float32),
        kintree_table=np.zeros((2, 55), np.int64),
        lmk_faces_idx=np.zeros(51, np.int64),
    )


def _as_smplh(arrays: dict) -> dict:
    """Sizes of SMPL-H: 6,890 vertices, 52 joints."""
    return dict(
        v_template=np.zeros((6890, 3), np.float32),
        f=np.zeros((13776, 3), np.uint32),
        shapedirs=np.zeros((6890, 3, 16), np.float32),
        posedirs=np.zeros((6890, 3, 459), np.float32),
        J_regressor=np.zeros((52, 6890), np.float32),
        weights=np.zeros((6890, 52), np.float32),
        kintree_table=np.zeros((2, 52), np.int64),
        hands_meanl=np.zeros(45, np.float32),
    )


for _name, _change in {
    'another parent': of_member('kintree_table', _put((0, 5), 1)),
    'a joint its own parent': of_member('kintree_table', _put((0, 7), 7)),
    'face beyond the mesh': of_member('f', _put((0, 0), 50)),
    'face of 2**32 - 1': of_member('f', _put((0, 0), 2**32 - 1)),
    'negative face': of_member('f', lambda a: a.astype(np.int64) - 1),
    'half a face': of_member('f', lambda a: a + 0.5),
    'weights of 2': of_member('weights', lambda a: 2 * a),
    'weights of 0': of_member('weights', _put(4, 0)),
    'negative weight': of_member('weights', _put((4, 0), -0.5)),
    'regressor of 2': of_member('J_regressor', lambda a: 2 * a),
    'regressor of 0': of_member('J_regressor', _put(4, 0)),
    'millimetres': of_member('v_template', lambda a: 1000 * a),
    'SMPL-X': of_arrays(_as_smplx),
    'SMPL-H': of_arrays(_as_smplh),
    'nothing inside': of_arrays(lambda a: dict(other=np.zeros(3))),
    'wrong regressor': of_arrays(
        lambda a: {**a, 'h36m14_regressor': np.zeros((17, 50))}
    ),
    'zero regressor': of_arrays(
        lambda a: {**a, 'h36m14_regressor': np.zeros((14, 50))}
    ),
}.items():
    add('body', _name, _change)
for _name, _change in {
    'root -1 unsigned': of_member(
        'kintree_table', lambda a: a.astype(np.uint32)
    ),
    'faces int64': of_member('f', lambda a: a.astype(np.int64)),
    'faces as floats': of_member('f', lambda a: a.astype(np.float32)),
    'more arrays': of_arrays(lambda a: {**a, 'note': np.array('ours')}),
    'compressed': lambda path, _: np.savez_compressed(
        path, **dict(np.load(path))
    ),
}.items():
    add('body', _name, _change, 'same')

# --- archives of arrays -----------------------------------------------------


def _twice(path: Path, _) -> None:
    """A second member of the same name, which readers may disagree about."""
    with zipfile.ZipFile(path, 'a') as file:
        name = file.namelist()[0]
        file.writestr(name, npy_header((2, 3)) + bytes(24))


def _single_array(path: Path, _) -> None:
    with open(path, 'wb') as file:
        np.save(file, np.zeros((4, 3), np.float32))


def _encrypted(path: Path, _) -> None:
    """The flag of encryption at every member."""
    data = bytearray(path.read_bytes())
    for magic, offset in ((b'PK\x03\x04', 6), (b'PK\x01\x02', 8)):
        start = data.find(magic)
        while start >= 0:
            data[start + offset] |= 1
            start = data.find(magic, start + 4)
    path.write_bytes(data)


def _other_compression(path: Path, _) -> None:
    """A method of compression that nobody has."""
    data = bytearray(path.read_bytes())
    for magic, offset in ((b'PK\x03\x04', 8), (b'PK\x01\x02', 10)):
        start = data.find(magic)
        while start >= 0:
            data[start + offset] = 77
            start = data.find(magic, start + 4)
    path.write_bytes(data)


_MEMBERS = dict(shard='bbox', body='v_template', amass='poses')
for _kind, _key in _MEMBERS.items():
    _file = f'{_key}.npy'
    for _name, _apply in {
        'bomb': lambda path, _, f=_file: write_bomb(
            path, f, npy_header((BIG // 4 // 3, 3))
        ),
        'member of 10 terabytes': raw_member(
            _file, npy_header((10**12, 3)) + bytes(24)
        ),
        'member with negative rows': raw_member(
            _file, npy_header((10, 3)).replace(b'(10, 3)', b'(-1, 3)')
        ),
        'member with code in its header': raw_member(
            _file, npy_header((10, 3)).replace(b"'<f4'", b'id(1)')
        ),
        'member of an unknown version': raw_member(
            _file, b'\x93NUMPY\x09\x00' + npy_header((2, 3))[8:] + bytes(24)
        ),
        'member is a pickle': raw_member(_file, pickle.dumps(Canary())),
        'member is empty': raw_member(_file, b''),
        'member is no array': raw_member(_file, b'not an array'),
        'single array': _single_array,
        'encrypted': _encrypted,
        'unknown compression': _other_compression,
        'no members': of_arrays(lambda a: dict(x=np.zeros(0))),
    }.items():
        add(_kind, _name, _apply)
    add(_kind, 'member twice', _twice, 'either')
    add(_kind, 'file beside arrays', raw_member('README', b'hi'), 'either')

# --- single arrays ----------------------------------------------------------
for _kind in ('regressor', 'depth_npy'):
    for _name, _change in WRONG.items():
        if (_kind, _name) == ('depth_npy', 'with NaN'):
            continue  # That is what is missing.
        expect = 'refused'
        if (_kind, _name) == ('depth_npy', 'infinite'):
            expect = 'form'
        add(_kind, _name, of_array(_change), expect)
    for _name, _change in UNUSUAL.items():
        exact = _name in ('float64', 'big-endian', 'by columns')
        add(_kind, _name, of_array(_change), 'same' if exact else 'form')
    for _name, _data in {
        'shape of 10 terabytes': npy_header((10**12, 3)) + bytes(24),
        'negative shape': npy_header((48, 48)).replace(b'(48', b'(-8')
        + bytes(4 * 48 * 48),
        'header of a megabyte': b'\x93NUMPY\x02\x00'
        + struct.pack('<I', 2**20)
        + b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
        + b' ' * 2**20,
        'nested header': b'\x93NUMPY\x02\x00'
        + struct.pack('<I', 9000)
        + b'(' * 9000,
        'unknown version': b'\x93NUMPY\x09\x00' + bytes(100),
    }.items():
        add(_kind, _name, lambda path, _, data=_data: _write(path, data))
    add(
        _kind,
        'archive',
        lambda path, _: np.savez(open(path, 'wb'), x=np.zeros((48, 48))),
    )
    add(
        _kind,
        'bomb',
        lambda path, _: write_bomb(path, 'x.npy', npy_header((BIG // 4, 1))),
    )
add('regressor', 'all 0', of_array(np.zeros_like))
add('regressor', 'rows of 2', of_array(lambda a: 2 * a))
add('depth_npy', 'all negative', of_array(lambda a: -np.nan_to_num(a, nan=1)))
add('depth_npy', 'whole numbers', of_array(lambda a: np.ones_like(a, int)))


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


# --- motions ----------------------------------------------------------------
for _name, _change in {
    'as objects': lambda a: object_array(),
    'as text': lambda a: a.astype('U8'),
    'as dates': lambda a: a.astype(np.int64).astype('M8[s]'),
    'complex': lambda a: a.astype(np.complex64),
    'with NaN': nan_at_one,
    'infinite': infinite_at_one,
    'huge': lambda a: a * 1e300,
    'a column short': lambda a: a[:, :-1],
    'no frames': lambda a: a[:0],
    'no columns': lambda a: a[:, :0],
    'flat': np.ravel,
    'nested': lambda a: a[None],
    'one number': lambda a: np.float32(1),
    'transposed': np.transpose,
    'records': lambda a: np.zeros(a.shape, [('x', 'f4'), ('y', 'i4')]),
}.items():
    add('amass', _name, of_member('poses', _change))
add('amass', 'poses missing', without('poses'))
add('amass', 'float16', of_member('poses', UNUSUAL['float16']), 'form')
add('amass', 'float32', of_member('poses', lambda a: a.astype('f4')), 'form')
add('amass', 'big-endian', of_member('poses', UNUSUAL['big-endian']), 'same')
add('amass', 'of SMPL-X', of_member('poses', lambda a: a[:, :66]))
add(
    'amass',
    'names of people',
    of_arrays(lambda a: {**a, 'gender': object_array()}),
    'either',
)

# --- shards -----------------------------------------------------------------
_LABELS = ('index', 'motion', 'bbox', 'body_pose', 'keypoints3d_h36m14')
for _key in _LABELS:
    add('shard', f'{_key} missing', without(_key))
    for _name, _change in WRONG.items():
        if _key == 'motion' and _name not in ('a row short', 'as objects'):
            continue
        add('shard', f'{_key} {_name}', of_member(_key, _change))


def _in_folder(change: Callable[[Path], object]):
    """Change the folder of the shard rather than its annotations."""

    def apply(path: Path, _) -> None:
        change(path.parent)

    return apply


def _replaced(folder: Path, make: Callable[[Path], object]) -> None:
    shutil.rmtree(folder)
    make(folder)


for _name, _change in {
    'shard is a file': lambda f: _replaced(f, Path.touch),
    'shard is empty': lambda f: _replaced(f, Path.mkdir),
    'shard is a link to itself': lambda f: _replaced(
        f, lambda p: p.symlink_to(p.name)
    ),
    'shard is a link to nothing': lambda f: _replaced(
        f, lambda p: p.symlink_to('nowhere')
    ),
    'shard is a pipe': lambda f: _replaced(f, os.mkfifo),
    'shard is a link elsewhere': lambda f: (
        shutil.move(f, f.parent.parent / 'elsewhere'),
        f.symlink_to('../elsewhere'),
    ),
    'picture is a folder': lambda f: (
        (f / '000001.jpg').unlink(),
        (f / '000001.jpg').mkdir(),
    ),
    'picture is a pipe': lambda f: (
        (f / '000001.jpg').unlink(),
        os.mkfifo(f / '000001.jpg'),
    ),
    'depth without end': lambda f: (
        (f / '000001_depth.npy').unlink(),
        (f / '000001_depth.npy').symlink_to('/dev/zero'),
    ),
    'mask is missing': lambda f: (f / '000001_mask.npy').unlink(),
    'split is a file': lambda f: _replaced(f.parent, Path.touch),
    'split is missing': lambda f: shutil.rmtree(f.parent),
    'locks are a file': lambda f: _replaced(f.parent / '.locks', Path.touch),
    'a lock is a folder': lambda f: _replaced(
        f.parent / '.locks',
        lambda p: (p / 'shard_00000.lock').mkdir(parents=True),
    ),
    'another shard': lambda f: np.savez(
        f / 'annotations.npz',
        **{**dict(np.load(f / 'annotations.npz')), 'index': np.array([2, 3])},
    ),
}.items():
    add(
        'shard', _name, _in_folder(_change), 'either', names=('data', '000001')
    )
