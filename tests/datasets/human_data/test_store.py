"""A store holds every column byte for byte, whole or not at all."""

import io
import json
import multiprocessing
import os
import pickle
import signal
import time
import zipfile

import numpy as np
import pytest

from mmd2a.apis.result_files import export_human_data
from mmd2a.datasets import HumanDataStore, open_human_data
from mmd2a.files import UnusableFileError


def flat(content, name=''):
    """Arrays and values of nested dicts, by name."""
    if not isinstance(content, dict):
        return {name: content}
    return {
        key: value
        for top, rest in content.items()
        for key, value in flat(rest, f'{name}/{top}'.strip('/')).items()
    }


def same(one, other):
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype and one.shape == other.shape
        assert one.tobytes() == other.tobytes()
    else:
        assert one == other


@pytest.mark.parametrize('compress', [False, True])
def test_the_round_trip_keeps_every_byte(dumped, tmp_path, compress):
    from mmhuman3d.data.data_structures.human_data import HumanData

    path = dumped(compress=compress)
    store = open_human_data(path, tmp_path / 'stores')
    export_human_data(tmp_path / 'again.npz', store)
    one = HumanData.fromfile(str(path))
    other = HumanData.fromfile(str(tmp_path / 'again.npz'))
    raw, again = flat(dict(one)), flat(dict(other))
    assert raw.keys() == again.keys() and len(raw) > 12
    for name, value in raw.items():
        same(value, again[name])
    assert one.data_len == other.data_len
    assert one.check_keypoints_compressed() is compress
    assert other.check_keypoints_compressed() is compress
    # And a store of that is a store of the same.
    third = open_human_data(tmp_path / 'again.npz', tmp_path / 'stores')
    for name, column in store.columns.items():
        same(column, third.columns[name])
    assert store.values == third.values


def test_a_record_is_the_row_of_every_column(dumped, tmp_path):
    store = open_human_data(dumped(), tmp_path)
    assert len(store) == 7
    record = store[3]
    assert record['image_path'] == 'S1/003.jpg'
    assert record['meta/gender'] == 'm'
    same(record['smpl/body_pose'], store.columns['smpl/body_pose'][3].copy())
    assert record['smpl/body_pose'].flags.writeable
    assert 'keypoints2d_mask' not in record
    assert store.values['misc/note'] == 'a text'
    with pytest.raises(IndexError, match='person 7 of 7'):
        store[7]


def test_a_fortran_array_is_the_same_array(dumped, tmp_path):
    plain = np.random.default_rng(1).normal(size=(7, 5, 3))
    path = dumped(extra=np.asfortranarray(plain))
    store = open_human_data(path, tmp_path / 'stores')
    same(np.array(store.columns['extra']), plain)
    assert store.columns['extra'].flags.c_contiguous


def test_a_store_is_found_by_what_the_file_holds(dumped, tmp_path):
    path = dumped()
    first = open_human_data(path, tmp_path / 'stores')
    before = sorted((tmp_path / 'stores').iterdir())
    other = tmp_path / 'of another name.npz'
    os.rename(path, other)
    assert open_human_data(other, tmp_path / 'stores').folder == first.folder
    assert sorted((tmp_path / 'stores').iterdir()) == before
    changed = dumped(config='other')
    assert open_human_data(changed, tmp_path / 'stores').folder != first.folder


def test_the_store_is_in_the_cache_of_the_user(dumped, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    store = open_human_data(dumped())
    assert store.folder.parent == tmp_path / 'cache' / 'mmd2a' / 'human_data'


def test_another_process_maps_the_files_again(dumped, tmp_path):
    store = open_human_data(dumped(), tmp_path)
    data = pickle.dumps(store)
    assert len(data) < 1000
    same(pickle.loads(data)[2]['smpl/betas'], store[2]['smpl/betas'])


def build(path, root, queue):
    store = open_human_data(path, root)
    store.verify()
    queue.put((str(store.folder), len(store)))


def test_many_processes_build_one_store(dumped, tmp_path):
    path, root = dumped(200), tmp_path / 'stores'
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    workers = [
        context.Process(target=build, args=(path, root, queue))
        for _ in range(6)
    ]
    for worker in workers:
        worker.start()
    found = {queue.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert len(found) == 1
    assert len([p for p in root.iterdir() if p.is_dir()]) == 1


def test_a_builder_that_is_killed_leaves_nothing_in_the_way(dumped, tmp_path):
    path, root = dumped(3000), tmp_path / 'stores'
    context = multiprocessing.get_context('fork')
    for delay in (0.01, 0.03, 0.06):
        worker = context.Process(
            target=build, args=(path, root, context.Queue())
        )
        worker.start()
        time.sleep(delay)
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
    store = open_human_data(path, root)
    store.verify()
    assert len(store) == 3000
    assert [p.name for p in root.iterdir() if p.is_dir()] == [store.digest]


def cut_column(folder):
    with open(folder / 'column_003.npy', 'r+b') as file:
        file.truncate(140)


def lose_column(folder):
    (folder / 'column_003.npy').unlink()


def old_version(folder):
    listing = json.loads((folder / 'store.json').read_text())
    listing['version'] = 0
    (folder / 'store.json').write_text(json.dumps(listing))


def no_listing(folder):
    (folder / 'store.json').write_text('{"version": 1}')


@pytest.mark.parametrize(
    'damage', [cut_column, lose_column, old_version, no_listing]
)
def test_a_damaged_store_is_told_and_made_again(dumped, tmp_path, damage):
    path, root = dumped(), tmp_path / 'stores'
    folder = open_human_data(path, root).folder
    damage(folder)
    with pytest.raises(UnusableFileError, match='made again'):
        HumanDataStore(folder)
    open_human_data(path, root).verify()


def test_a_flipped_bit_is_found_by_its_checksum(dumped, tmp_path):
    store = open_human_data(dumped(), tmp_path)
    file = store.folder / store.listing['smpl/betas'].file
    data = bytearray(file.read_bytes())
    data[-5] ^= 1
    file.write_bytes(data)
    with pytest.raises(UnusableFileError, match='smpl/betas'):
        store.verify()


class Canary:
    """Leaves a file behind if somebody runs it."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, 'w'))


def member(header, body=b''):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + body


def archive(path, **members):
    """An npz of raw members, beside what a HumanData needs."""
    plain = dict(image_path=np.array(['a.jpg']), bbox_xywh=np.ones((1, 5)))
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as file:
        for name, array in plain.items():
            if name not in members:
                buffer = io.BytesIO()
                np.save(buffer, array)
                file.writestr(f'{name}.npy', buffer.getvalue())
        for name, data in members.items():
            file.writestr(f'{name}.npy', data)
    return path


FLOATS = dict(descr='<f8', fortran_order=False)
OBJECT = dict(descr='|O', fortran_order=False, shape=())
HOSTILE = {
    'a billion rows': (
        dict(keypoints2d=member({**FLOATS, 'shape': (10**9, 190, 3)})),
        'another size',
    ),
    'negative rows': (
        dict(bbox_xywh=member({**FLOATS, 'shape': (-1, 5)})),
        'no header|another size',
    ),
    'rows of no number': (
        dict(bbox_xywh=b"\x93NUMPY\x01\x00\x10\x00{'shape': (nan,)}"),
        'no header',
    ),
    'no numpy': (dict(bbox_xywh=b'text'), 'no header'),
    'other rows': (
        dict(bbox_xywh=member({**FLOATS, 'shape': (3, 5)}, bytes(120))),
        '3 rows of bbox_xywh',
    ),
    'nobody': (
        dict(
            image_path=member(
                dict(descr='<U3', fortran_order=False, shape=(0,))
            ),
            bbox_xywh=member({**FLOATS, 'shape': (0, 5)}),
        ),
        '0 pictures',
    ),
    'fields': (
        dict(
            extra=member(
                dict(descr=[('a', '<f8')], fortran_order=False, shape=(1,)),
                bytes(8),
            )
        ),
        'fields',
    ),
    'half a pickle': (
        dict(smpl=member(OBJECT, pickle.dumps(np.array({}, object))[:-9])),
        'damaged',
    ),
    'no array': (
        dict(smpl=member(OBJECT, pickle.dumps({'a': 1}))),
        'header says',
    ),
    'more behind': (
        dict(smpl=member(OBJECT, pickle.dumps(np.array({}, object)) + b'x')),
        'goes on',
    ),
}


@pytest.mark.parametrize('name', HOSTILE)
def test_a_hostile_file_is_refused_by_its_name(name, tmp_path):
    members, told = HOSTILE[name]
    path = archive(tmp_path / 'bad.npz', **members)
    with pytest.raises(UnusableFileError, match=told) as error:
        open_human_data(path, tmp_path / 'stores')
    assert 'To fix' in str(error.value) and 'bad.npz' in str(error.value)
    assert not list((tmp_path / 'stores').glob('*/store.json'))


def test_no_pickle_is_run(tmp_path):
    path = tmp_path / 'bad.npz'
    canary = tmp_path / 'canary'
    body = pickle.dumps(np.array({'betas': Canary(canary)}, object))
    archive(path, smpl=member(OBJECT, body))
    with pytest.raises(UnusableFileError, match='not allowed') as error:
        open_human_data(path, tmp_path / 'stores')
    assert 'bad.npz' in str(error.value)
    assert not canary.exists()


def test_names_in_the_archive_are_no_paths(tmp_path):
    betas = pickle.dumps(np.array({'../../x': np.ones((1, 10))}, object))
    path = archive(
        tmp_path / 'bad.npz',
        **{'../../../up': member({**FLOATS, 'shape': (1,)}, bytes(8))},
        smpl=member(OBJECT, betas),
    )
    store = open_human_data(path, tmp_path / 'a' / 'b' / 'stores')
    assert '../../../up' in store.columns and 'smpl/../../x' in store.columns
    assert all(
        file.resolve().parent == store.folder
        for file in store.folder.iterdir()
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ['a', 'bad.npz']


@pytest.mark.parametrize('keep', [0, 1, 100, -40, -1000])
def test_half_a_file_is_told(dumped, tmp_path, keep):
    path = dumped()
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UnusableFileError, match=r'people\.npz'):
        open_human_data(path, tmp_path / 'stores')


def test_changed_bytes_are_found_while_building(dumped, tmp_path):
    path = dumped()
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as file:
        info = file.getinfo('bbox_xywh.npy')
    data[info.header_offset + 120] ^= 255
    path.write_bytes(data)
    with pytest.raises(UnusableFileError, match='damaged|header'):
        open_human_data(path, tmp_path / 'stores')


def test_what_fits_no_column_is_named(dumped, tmp_path):
    path = dumped(meta=dict(gender=['m'] * 7, a={1, 2}))
    store = open_human_data(path, tmp_path / 'stores')
    assert store.left_out == ['meta/a']
    assert open_human_data(path, tmp_path / 'stores').left_out == ['meta/a']


def test_a_full_disk_is_told_before(dumped, tmp_path, monkeypatch):
    import shutil

    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(shutil, 'disk_usage', lambda _: usage(10, 10, 0))
    with pytest.raises(UnusableFileError, match='store_root'):
        open_human_data(dumped(), tmp_path / 'stores')
    assert not list((tmp_path / 'stores').iterdir()) or not [
        p for p in (tmp_path / 'stores').iterdir() if p.is_dir()
    ]
