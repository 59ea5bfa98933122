"""The cache survives workers, neighbours, kills and full disks.

Over 350 lines: what interrupts a cache shares its fixtures.
"""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from mmd2a.datasets.synthetic_people import SyntheticPeople, generation
from mmd2a.datasets.synthetic_people import cache as cache_module
from mmd2a.datasets.synthetic_people.cache import Cache
from mmd2a.datasets.synthetic_people.generation import generate_people
from mmd2a.datasets.transforms import LoadFrame
from mmd2a.files import UnusableFileError

SIZE = 48


def small(root, **changes):
    return Cache(
        **{
            **dict(
                data_root=str(root),
                split='train',
                image_size=SIZE,
                shard_size=2,
            ),
            **changes,
        }
    )


def contents(folder):
    """Bytes of all files; the annotations by array (zip has dates)."""
    found = {}
    for file in sorted(Path(folder).glob('shard_*/*')):
        key = f'{file.parent.name}/{file.name}'
        if file.suffix == '.npz':
            with np.load(file, allow_pickle=False) as arrays:
                found[key] = {k: arrays[k].tobytes() for k in arrays.files}
        else:
            found[key] = file.read_bytes()
    return found


def leftovers(folder):
    return [p.name for p in Path(folder).glob('.shard*')]


def start(root, num_people, num_workers=1):
    """A process of its own that wants people."""
    code = (
        'import sys, json\n'
        'from mmd2a.datasets.synthetic_people import *\n'
        'c = Cache.from_json(sys.argv[1])\n'
        'print("ready", flush=True)\n'
        'print("made", generate_people(c, int(sys.argv[2]),'
        ' int(sys.argv[3])))\n'
    )
    return subprocess.Popen(
        [
            sys.executable,
            '-c',
            code,
            small(root).to_json(),
            str(num_people),
            str(num_workers),
        ],
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.DEVNULL,
        env=dict(
            os.environ,
            OMP_NUM_THREADS='1',
            PYTHONPATH=os.pathsep.join(p or os.getcwd() for p in sys.path),
        ),
    )


@pytest.fixture(scope='module')
def reference(tmp_path_factory):
    """Six people made by this process alone."""
    cache = small(tmp_path_factory.mktemp('reference'))
    assert generate_people(cache, 6, num_workers=1) == 6
    return cache


def test_a_shard_has_four_images_a_person_and_plain_annotations(reference):
    folder = reference.shard_folder(1)
    assert sorted(os.listdir(folder)) == sorted(
        [
            f'{i:06d}{s}'
            for i in (2, 3)
            for s in ('.jpg', '_depth.npy', '_mask.npy', '_parts.png')
        ]
        + ['annotations.npz']
    )
    labels = reference.read_annotations(1)
    assert labels['index'].tolist() == [2, 3]
    assert labels['body_pose'].shape == (2, 69)
    assert labels['keypoints3d_coco17'].shape == (2, 17, 3)


def test_two_workers_write_the_same_bytes_as_one(reference, tmp_path):
    cache = small(tmp_path)
    assert generate_people(cache, 6, num_workers=2) == 6
    assert contents(cache.folder) == contents(reference.folder)
    assert not leftovers(cache.folder)


def test_two_processes_share_one_cache_and_no_work(reference, tmp_path):
    processes = [start(tmp_path, 6) for _ in range(2)]
    outputs = [p.communicate(timeout=120)[0] for p in processes]
    made = [int(o.split('made')[-1]) for o in outputs]
    assert all(p.returncode == 0 for p in processes)
    assert sum(made) == 6
    assert contents(small(tmp_path).folder) == contents(reference.folder)


def test_a_killed_writer_is_continued(reference, tmp_path):
    victim = start(tmp_path, 400)
    folder = small(tmp_path).folder
    deadline = time.time() + 60
    while time.time() < deadline and not (
        any(folder.glob('shard_*')) and leftovers(folder)
    ):
        time.sleep(0.01)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    made = len(list(folder.glob('shard_*')))
    for shard in range(3):  # as if it had died in the first three
        if shard >= 1:
            shutil.rmtree(folder / f'shard_{shard:05d}', ignore_errors=True)
    (folder / '.shard_00001.999999.tmp').mkdir()
    assert made
    assert generate_people(small(tmp_path), 6, num_workers=1) == 4
    ours = {k: v for k, v in contents(folder).items() if k < 'shard_00003'}
    assert ours == contents(reference.folder)
    assert '.shard_00001.999999.tmp' not in leftovers(folder)


def test_complete_people_are_not_made_again(reference):
    assert generate_people(reference, 6) == 0
    assert generate_people(reference, 1) == 0


def test_more_people_keep_the_first(reference, tmp_path):
    cache = small(tmp_path)
    assert generate_people(cache, 3, num_workers=1) == 4  # whole shards
    assert generate_people(cache, 5, num_workers=1) == 2
    assert contents(cache.folder) == contents(reference.folder)


@pytest.mark.parametrize(
    'damage',
    [
        lambda f: (f / 'annotations.npz').unlink(),
        lambda f: (f / 'annotations.npz').write_bytes(b'PK truncated'),
        lambda f: (f / '000003_depth.npy').unlink(),
        # As after a loss of power: names without contents.
        lambda f: (f / '000002.jpg').write_bytes(b''),
        lambda f: flip_a_bit(f / 'annotations.npz'),
        # Of another version, of fewer people, of others, of none.
        lambda f: change_labels(f, lambda a: a.pop('keypoints3d_h36m14')),
        lambda f: change_labels(f, lambda a: a.update(bbox=a['bbox'][:1])),
        lambda f: change_labels(f, lambda a: a.update(index=a['index'] + 1)),
        lambda f: change_labels(f, lambda a: a.clear()),
        lambda f: change_labels(f, lambda a: a.update(K=a['K'] * np.nan)),
        # Something else in the place of a file or of the folder.
        lambda f: put_folder(f / 'annotations.npz'),
        lambda f: put_folder(f / '000002.jpg'),
        lambda f: (shutil.rmtree(f), f.symlink_to(f.name)),
        lambda f: (shutil.rmtree(f), f.touch()),
    ],
)
def test_a_damaged_shard_is_made_again(reference, tmp_path, damage):
    shutil.copytree(reference.data_root, tmp_path / 'copy')
    cache = small(tmp_path / 'copy')
    damage(cache.shard_folder(1))
    assert cache.missing_shards(6) == [1]
    assert generate_people(cache, 6, num_workers=1) == 2
    assert contents(cache.folder) == contents(reference.folder)


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    data[data.index(b'bbox.npy') + 170] ^= 4
    path.write_bytes(data)


def change_labels(folder, change):
    with np.load(folder / 'annotations.npz') as file:
        arrays = dict(file)
    change(arrays)
    np.savez(folder / 'annotations.npz', **arrays)


def put_folder(path):
    path.unlink()
    path.mkdir()


def test_people_deleted_while_they_are_read_are_told_as_that(tmp_path):
    people = SyntheticPeople(
        str(tmp_path),
        num_people=2,
        image_size=SIZE,
        shard_size=2,
        num_workers=1,
        pipeline=[LoadFrame()],
    )
    assert people[1]['img'].shape == (SIZE, SIZE, 3)
    shutil.rmtree(people.cache.folder)
    with pytest.raises(UnusableFileError, match='deleted while.*read') as told:
        people[1]
    assert str(people.cache.shard_folder(0)) in str(told.value)
    assert '\n' not in str(told.value)


@pytest.mark.parametrize('num_people', [1, 4])
def test_people_deleted_while_they_are_made_are_told_as_that(
    tmp_path, monkeypatch, num_people
):
    cache = small(tmp_path)

    def delete(path, data):
        shutil.rmtree(cache.folder)
        path.write_bytes(data)

    monkeypatch.setattr(cache_module, 'write_bytes', delete)
    with pytest.raises(OSError, match='deleted while.*made') as told:
        generate_people(cache, num_people, num_workers=1)
    assert str(tmp_path) in str(told.value)


def test_options_that_change_the_bytes_change_the_folder(tmp_path):
    motion = tmp_path / 'a.npz'
    np.savez(motion, poses=np.zeros((20, 72)))
    caches = [
        small(tmp_path),
        small(tmp_path, image_size=64),
        small(tmp_path, seed=1),
        small(tmp_path, split='val'),
        small(tmp_path, shard_size=3),
        small(tmp_path, looks='photo'),
        small(tmp_path, looks='mixed'),
        small(tmp_path, motions=(str(motion),)),
    ]
    assert len({c.folder for c in caches}) == len(caches)
    assert Cache.from_json(caches[-1].to_json()) == caches[-1]


def test_a_full_disk_is_explained_and_leaves_nothing(tmp_path, monkeypatch):
    written = []

    def full(path, data):
        written.append(path)
        if len(written) > 5:
            raise OSError(errno.ENOSPC, 'No space left on device')
        path.write_bytes(data)

    monkeypatch.setattr(cache_module, 'write_bytes', full)
    cache = small(tmp_path)
    with pytest.raises(OSError, match=r'full.*GB.*data_root') as error:
        generate_people(cache, 2, num_workers=1)
    assert error.value.errno == errno.ENOSPC
    assert not leftovers(cache.folder) and not contents(cache.folder)
    monkeypatch.undo()
    assert generate_people(cache, 2, num_workers=1) == 2


def test_space_is_checked_before_the_first_person(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(
        generation.shutil, 'disk_usage', lambda _: usage._replace(free=1000)
    )
    with pytest.raises(OSError, match='GB are free'):
        generate_people(small(tmp_path), 2, num_workers=1)
    assert not contents(small(tmp_path).folder)


def test_a_forbidden_folder_is_named(tmp_path, monkeypatch):
    def forbidden(*_, **__):
        raise PermissionError(errno.EACCES, 'Permission denied')

    monkeypatch.setattr(Path, 'mkdir', forbidden)
    with pytest.raises(PermissionError, match='data_root') as error:
        generate_people(small(tmp_path / 'mine'), 2)
    assert str(tmp_path / 'mine') in str(error.value)


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match='data_root'):
        generate_people(small(tmp_path / 'file'), 2)


def test_an_error_in_a_worker_is_an_error_here(tmp_path):
    """The disk's message crosses the process border."""
    cache = small(tmp_path)
    cache.folder.mkdir(parents=True)
    (cache.folder / '.locks').write_text('not a folder')
    with pytest.raises(OSError, match='data_root'):
        generate_people(cache, 6, num_workers=2)


@pytest.mark.parametrize(
    'change',
    [
        dict(split='training'),
        dict(image_size=0),
        dict(seed=-1),
        dict(shard_size=0),
        dict(looks='nice'),
    ],
)
def test_impossible_wishes_are_refused(tmp_path, change):
    with pytest.raises(ValueError, match=next(iter(change))):
        small(tmp_path, **change)


def test_the_json_of_a_cache_is_readable(tmp_path):
    assert json.loads(small(tmp_path).to_json())['image_size'] == SIZE


def test_motions_too_short_are_refused_before_a_worker_starts(
    tmp_path, monkeypatch
):
    motion = tmp_path / 'short.npz'
    np.savez(motion, poses=np.zeros((5, 72)))
    monkeypatch.setattr(generation.subprocess, 'Popen', None)
    with pytest.raises(ValueError, match='at least 10 frames.*short.npz'):
        generate_people(
            small(tmp_path, split='test', motions=(str(motion),)),
            4,
            num_workers=2,
        )


@pytest.mark.parametrize('finishes', [True, False])
def test_whoever_waits_starts_no_process_and_says_for_what(
    reference, tmp_path, monkeypatch, finishes
):
    """Another process holds the last shard, then finishes it or dies."""
    cache = small(tmp_path)
    shutil.copytree(reference.folder, cache.folder)
    kept = tmp_path / 'kept'
    cache.shard_folder(2).rename(kept)
    # Let go by another thread than this one.
    held = FileLock(cache.lock_path(2), thread_local=False).acquire()
    assert not cache.is_free(2)
    rounds, messages = [], []
    run = generation._run

    def count(cache, shards, num_workers, *rest):
        rounds.append((shards, num_workers))
        return run(cache, shards, num_workers, *rest)

    def log(message, **_):
        messages.append(message)

    def let_go():
        if finishes:
            kept.rename(cache.shard_folder(2))
        held.lock.release(force=True)

    monkeypatch.setattr(generation, '_run', count)
    monkeypatch.setattr(generation, 'print_log', log)
    monkeypatch.setattr(generation, '_LOG_SECONDS', 0.1)
    monkeypatch.setattr(generation, '_POLL_SECONDS', 0.05)
    timer = threading.Timer(0.6, let_go)
    timer.start()
    made = generate_people(cache, 6, num_workers=4)
    timer.join()
    assert made == (0 if finishes else 2)
    # One look at the start; another when the shard has lost its maker.
    assert rounds == [([2], 1)] * (1 if finishes else 2)
    waiting = [m for m in messages if m.startswith('Waiting')]
    assert 1 < len(waiting) < 8
    assert 'shard 2' in waiting[0] and str(cache.lock_path(2)) in waiting[0]
    assert contents(cache.folder) == contents(reference.folder)


def test_motions_are_not_read_where_nothing_is_made(tmp_path, monkeypatch):
    motion = tmp_path / 'a.npz'
    np.savez(motion, poses=np.zeros((20, 72)))
    cache = small(tmp_path, motions=(str(motion),))
    monkeypatch.setattr(cache_module, 'read_split', None)
    cache.lock_path(0).parent.mkdir(parents=True)
    with FileLock(cache.lock_path(0)):
        assert cache.build_shards([0]) == []


@pytest.mark.parametrize(
    'code', [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP]
)
def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch, code):
    def refuse(*_, **__):
        raise OSError(code, 'No locks available')

    monkeypatch.setattr(cache_module.FileLock, 'acquire', refuse)
    with pytest.raises(
        OSError, match='no locks; set data_root to a local disk'
    ) as error:
        generate_people(small(tmp_path), 2, num_workers=1)
    assert error.value.errno == code and str(tmp_path) in str(error.value)
