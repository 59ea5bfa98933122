"""NumPy's files of unknown origin."""

import io
import os
import resource
import zipfile

import numpy as np
import pytest

from mmd2a.files import UnusableFileError, read_npy, read_npz


class Canary:
    """Makes a folder when unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


ARRAYS = dict(
    a=np.arange(6, dtype=np.float32).reshape(2, 3),
    fortran=np.asfortranarray(np.arange(6).reshape(2, 3)),
    text=np.array(['walk', 'run']),
    none=np.zeros((0, 3)),
    number=np.float64(3),
    big_endian=np.arange(3, dtype='>i4'),
)


@pytest.mark.parametrize('save', [np.savez, np.savez_compressed])
def test_an_archive_reads_as_numpy_reads_it(tmp_path, save):
    path = tmp_path / 'a.npz'
    save(path, **ARRAYS)
    arrays = read_npz(path)
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
        assert arrays[name].flags.writeable
    assert list(read_npz(path, keys=['text'])) == ['text']


@pytest.mark.parametrize('name', ARRAYS)
def test_an_array_reads_as_numpy_reads_it(tmp_path, name):
    np.save(tmp_path / 'a.npy', ARRAYS[name])
    array = read_npy(tmp_path / 'a.npy')
    np.testing.assert_array_equal(array, ARRAYS[name])
    assert array.flags.f_contiguous == ARRAYS[name].flags.f_contiguous


def test_fields_renamed_by_one_reader_stay_for_the_next(tmp_path):
    fields = np.zeros(2, dtype=[('a', 'i4'), ('b', 'f4')])
    for _ in range(2):
        np.save(tmp_path / 'a.npy', fields)
        array = read_npy(tmp_path / 'a.npy')
        assert array.dtype.names == ('a', 'b')
        array.dtype.names = ('c', 'd')


def test_a_header_met_before_is_checked_against_its_own_data(tmp_path):
    path = tmp_path / 'a.npy'
    np.save(path, np.arange(6))
    assert read_npy(path).tolist() == [0, 1, 2, 3, 4, 5]
    whole = path.read_bytes()
    for content in (whole[:-1], whole + b'0', whole[:128]):
        path.write_bytes(content)
        with pytest.raises(UnusableFileError, match=r'shape \(6,\)'):
            read_npy(path)


def test_pickled_objects_are_refused_unread(tmp_path):
    objects = np.array([Canary(tmp_path / 'canary')], object)
    np.save(tmp_path / 'a.npy', objects, allow_pickle=True)
    np.savez(tmp_path / 'a.npz', a=objects)
    for read, name in [(read_npy, 'a.npy'), (read_npz, 'a.npz')]:
        with pytest.raises(UnusableFileError, match=f'pickled.*{name}'):
            read(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ['a.npy', 'a.npz']


def npy(shape, dtype="'<f8'", data=b''):
    """An npy file with that header."""
    header = (
        f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}}}\n"
    )
    return (
        (b'\x93NUMPY\x01\x00' + len(header).to_bytes(2, 'little'))
        + header.encode()
        + data
    )


@pytest.mark.parametrize(
    'content',
    [
        b'',
        bytes(100),
        b'\x93NUMPY\x09\x00',
        npy('(2, 3)', data=bytes(40)),
        npy('(2, 3)', data=bytes(56)),
        npy('(1000000000000,)'),
        npy('(-1,)', data=bytes(8)),
        npy('(-2, -3)', data=bytes(48)),
        npy('(9**9**9,)'),
        npy('(10000000000, 10000000000, 10000000000, 0)'),
        npy('(100,)', "'V0'"),
        npy('(2,)', '__import__("os")'),
        npy('(2,)', "[('a', 'O')]", bytes(16)),
        npy('(' * 500 + ')' * 500),
    ],
)
def test_a_header_that_promises_something_else_is_named(tmp_path, content):
    (tmp_path / 'a.npy').write_bytes(content)
    with zipfile.ZipFile(tmp_path / 'a.npz', 'w') as archive:
        archive.writestr('a.npy', content)
    for read, name in [(read_npy, 'a.npy'), (read_npz, 'a.npz')]:
        with pytest.raises(UnusableFileError, match=rf'{name}\. To fix'):
            read(tmp_path / name)


def test_an_archive_that_unfolds_to_gigabytes_is_refused(tmp_path):
    path = tmp_path / 'bomb.npz'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        with archive.open('a.npy', 'w', force_zip64=True) as member:
            for _ in range(256):
                member.write(bytes(2**20))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnusableFileError, match='unfolds to 268,435,456'):
        read_npz(path, max_bytes=2**27)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    assert grown < 50_000  # kB


@pytest.mark.parametrize('save', [np.savez, np.savez_compressed])
def test_any_flipped_bit_in_the_data_is_found(tmp_path, save):
    path = tmp_path / 'a.npz'
    save(path, a=np.random.default_rng(0).normal(size=50))
    whole = path.read_bytes()
    start, end = whole.index(b'NUMPY') if save is np.savez else 60, 400
    for position in range(start, end, 5):
        data = bytearray(whole)
        data[position] ^= 16
        path.write_bytes(data)
        with pytest.raises(UnusableFileError, match=r'damaged.*a\.npz'):
            read_npz(path)


def test_every_prefix_of_an_archive_is_refused(tmp_path):
    path = tmp_path / 'a.npz'
    np.savez(path, a=np.arange(3))
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(UnusableFileError, match=r'a\.npz'):
            read_npz(path)


def test_a_missing_array_is_named_with_those_there(tmp_path):
    path = tmp_path / 'a.npz'
    np.savez(path, first=1, second=2)
    with pytest.raises(UnusableFileError, match='lacks c; .*first, second'):
        read_npz(path, keys=['first', 'c'])


def test_members_that_numpy_does_not_write_are_named(tmp_path):
    data = io.BytesIO()
    np.save(data, np.arange(3))
    for method, name in [
        (zipfile.ZIP_STORED, 'readme.txt'),
        (zipfile.ZIP_LZMA, 'a.npy'),
    ]:
        path = tmp_path / 'a.npz'
        with zipfile.ZipFile(path, 'w', method) as archive:
            archive.writestr(name, data.getvalue())
        with pytest.raises(UnusableFileError, match='no numpy.savez writes'):
            read_npz(path)
