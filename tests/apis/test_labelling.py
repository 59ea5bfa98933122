"""Labels are the same bytes, however often and by whomever they are made."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmd2a.apis import MeshInferencer
from mmd2a.apis.conversions import to_human_data
from mmd2a.apis.label_pictures import PictureList, shard_of
from mmd2a.apis.labeller import Labeller
from mmd2a.apis.labelling import LabelJob, shard_files
from mmd2a.apis.people_files import read_people
from mmd2a.apis.result_files import write_human_data
from mmd2a.files import read_json, read_npz

pytest.importorskip('mmpose')

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / 'docs' / 'images' / 'balancing.jpg'
UNUSABLE = {'a/text.jpg', 'cut.png', 'one.png'}
# Forks for each job that it is told, so that starting one takes no seconds.
SERVER = """
import os, sys, torch
torch.set_num_threads(1)
from mmd2a.apis import MeshInferencer
from mmd2a.apis.label_pictures import PictureList
from mmd2a.apis.labeller import Labeller
from mmd2a.apis.labelling import LabelJob
labeller = Labeller(MeshInferencer(), batch_size=2)
print('ready', flush=True)
for line in sys.stdin:
    source, out, rank, world_size = line.split()
    child = os.fork()
    if not child:
        job = LabelJob(PictureList.of(source), out, {}, num_shards=8)
        job.run(labeller, int(rank), int(world_size))
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope='module')
def inferencer():
    return MeshInferencer()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Twelve pictures in two folders, and three that are none."""
    folder = tmp_path_factory.mktemp('pictures')
    (folder / 'a').mkdir()
    image = cv2.imread(str(PHOTO))[::5, ::5]
    for number in range(12):
        name = f'a/{number:02d}.png' if number % 2 else f'{number:02d}.png'
        cv2.imwrite(str(folder / name), np.roll(image, 3 * number, 0))
    (folder / 'a' / 'text.jpg').write_text('no picture')
    whole = (folder / '00.png').read_bytes()
    (folder / 'cut.png').write_bytes(whole[:-100])
    cv2.imwrite(str(folder / 'one.png'), np.zeros((1, 1, 3), np.uint8))
    (folder / 'notes.txt').write_text('not a picture by its name')
    (folder / '.hidden.png').write_bytes(whole)
    return folder


class Jobs:
    """Starts jobs in processes that can be killed."""

    def __init__(self, source):
        self.source = source
        self.server = subprocess.Popen(
            [sys.executable, '-c', SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, 'PYTHONPATH': str(ROOT)},
        )
        assert self.server.stdout.readline() == 'ready\n'

    def __call__(self, out, kill_after=None, rank=0, world_size=1):
        """Seconds it took, and its exit code."""
        self.server.stdin.write(f'{self.source} {out} {rank} {world_size}\n')
        self.server.stdin.flush()
        start = time.monotonic()
        child = int(self.server.stdout.readline())
        if kill_after is not None:
            time.sleep(kill_after)
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass
        code = int(self.server.stdout.readline())
        return time.monotonic() - start, code


@pytest.fixture(scope='module')
def jobs(folder):
    jobs = Jobs(folder)
    yield jobs
    jobs.server.stdin.close()
    jobs.server.wait(30)


@pytest.fixture(scope='module')
def undisturbed(jobs, tmp_path_factory):
    out = tmp_path_factory.mktemp('undisturbed') / 'labels'
    seconds, code = jobs(out)
    assert code == 0
    return out, seconds


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }


def test_an_index_tells_of_all_shards_and_of_what_cannot_be_used(
    undisturbed, folder
):
    out, _ = undisturbed
    index = read_json(out / 'index.json')
    assert index['num_pictures'] == 15 and index['num_people'] == 12
    unusable = {each['image_path']: each for each in index['unusable']}
    assert unusable.keys() == UNUSABLE
    assert '1x1 pixels' in unusable['one.png']['reason']
    for each in unusable.values():
        assert str(folder) not in each['reason']  # the same anywhere
    assert len(index['shards']) == len(shard_files(out)) == 8
    names = [
        name
        for file in shard_files(out)
        for name in read_npz(file)['image_path'].tolist()
    ]
    usable = set(PictureList.of(folder).names) - UNUSABLE
    assert len(names) == 12 and set(names) == usable


def test_labels_are_what_is_predicted_and_go_on_to_human_data(
    undisturbed, folder, inferencer, tmp_path
):
    out, _ = undisturbed
    people, names = [], []
    for file in shard_files(out):
        people += read_people(file)
        names += read_npz(file)['image_path'].tolist()
        with zipfile.ZipFile(file) as archive:
            times = {info.date_time for info in archive.infolist()}
        assert times == {(1980, 1, 1, 0, 0, 0)}
    for person, name in list(zip(people, names))[:3]:
        [result] = inferencer(str(folder / name))
        [expected] = result['predictions'][0]
        assert np.allclose(person.vertices, expected.vertices, atol=1e-4)
        assert np.allclose(person.transl, expected.transl, rtol=1e-3)
        assert person.image_size == expected.image_size
    write_human_data(tmp_path / 'human.npz', **to_human_data(people, names))
    written = read_npz(tmp_path / 'human.npz', ['image_path', 'bbox_xywh'])
    assert written['image_path'].tolist() == names


def kill(jobs, undisturbed, out, times, seed):
    """Run a job, killed so many times, to its end; return its files."""
    expected, seconds = undisturbed
    chance = random.Random(seed)
    killed = 0
    for _ in range(times):
        # In all a quarter of the time that it takes: killed before its end,
        # also on a machine that has become four times as fast.
        after = chance.uniform(0, seconds / 2 / times)
        _, code = jobs(out, kill_after=after)
        killed += code == -signal.SIGKILL
    assert killed == times
    assert jobs(out)[1] == 0
    return contents(out), contents(expected)


def test_killed_and_started_again_the_bytes_are_the_same(
    jobs, undisturbed, tmp_path
):
    ours, theirs = kill(jobs, undisturbed, tmp_path / 'labels', 3, seed=0)
    assert ours == theirs


@pytest.mark.slow
@pytest.mark.parametrize('seed', range(3))
def test_killed_ten_times_the_bytes_are_the_same(
    jobs, undisturbed, tmp_path, seed
):
    ours, theirs = kill(jobs, undisturbed, tmp_path / 'labels', 10, seed)
    assert ours == theirs


def test_what_is_done_is_not_done_again(jobs, undisturbed, tmp_path):
    out = tmp_path / 'labels'

    def written():
        assert jobs(out)[1] == 0
        return {p: p.stat().st_mtime_ns for p in out.rglob('shard-*')}

    assert written() == written()
    # But a shard that lost its end is.
    shard = shard_files(out)[0]
    shard.write_bytes(shard.read_bytes()[:-1])
    assert jobs(out)[1] == 0
    assert contents(out) == contents(undisturbed[0])


def test_two_processes_do_what_one_does(jobs, undisturbed, tmp_path):
    out = tmp_path / 'labels'
    assert jobs(out, rank=1, world_size=2)[1] == 0
    assert not (out / 'index.json').exists()
    assert jobs(out, rank=0, world_size=2)[1] == 0
    assert contents(out) == contents(undisturbed[0])


@pytest.mark.slow
def test_torchrun_does_what_one_process_does(folder, tmp_path):
    command = ['-m', 'mmd2a.cli.main', 'label', str(folder), '--shards', '5']
    for out, start in (
        ('one', []),
        ('two', ['-m', 'mmd2a.cli.torchrun', '--nproc_per_node', '2']),
    ):
        done = subprocess.run(
            [sys.executable, *start, *command, '--out', tmp_path / out],
            env={**os.environ, 'PYTHONPATH': str(ROOT)},
            capture_output=True,
            text=True,
            timeout=500,
        )
        assert done.returncode == 0, done.stderr
        assert '5 of 5 shards done, 12 people in 15' in done.stdout
    assert contents(tmp_path / 'one') == contents(tmp_path / 'two')


def test_shards_hold_all_pictures_evenly_wherever_the_folder_is():
    names = [f'{i % 7}/{i:05d}.jpg' for i in range(4000)]
    sizes = np.bincount([shard_of(name, 16) for name in names], minlength=16)
    assert sizes.sum() == 4000 and sizes.min() > 180
    # Pinned: other numbers would make labels of before another job.
    assert [shard_of(name, 16) for name in names[:4]] == [11, 7, 10, 14]


def test_pictures_of_a_list_are_relative_to_it(folder, tmp_path):
    lines = tmp_path / 'list.txt'
    path = os.path.relpath(folder / 'a' / '01.png', tmp_path)
    lines.write_text(f'{path}\n\n{path}\n{folder}/00.png\n')
    pictures = PictureList.of(lines)
    assert sorted(pictures.names) == sorted([path, f'{folder}/00.png'])
    assert all((pictures.root / name).is_file() for name in pictures.names)
    assert '.hidden.png' not in PictureList.of(folder).names


def test_boxes_of_a_file_name_pictures_of_folders(
    folder, inferencer, tmp_path
):
    names = ['00.png', 'a/01.png', 'b/01.png', '02.png']
    boxes = tmp_path / 'boxes.json'
    whole, outside = [2.0, 3, 110, 150], [900.0, 900, 20, 20]
    annotations = [
        dict(image_id=1, bbox=whole),
        dict(image_id=1, bbox=[9.0, 9, 90, 90]),
        dict(image_id=2, bbox=whole),
        dict(image_id=3, bbox=outside),
    ]
    boxes.write_text(
        json.dumps(
            dict(
                images=[dict(id=i, file_name=n) for i, n in enumerate(names)],
                annotations=annotations,
            )
        )
    )
    labeller = Labeller(inferencer, str(boxes), batch_size=4)
    labels = labeller(folder, ['00.png', '02.png', '04.png', 'a/01.png'])
    assert labels.image_paths == ['a/01.png'] * 2
    assert labels.people[0].bbox == pytest.approx([2, 3, 112, 153], abs=1)
    unusable = {e['image_path']: e['reason'] for e in labels.unusable}
    assert 'outside' in unusable['02.png']
    assert 'do not know the picture 04.png' in unusable['04.png']
    assert unusable.keys() == {'02.png', '04.png'}  # nobody is in 00.png


def test_mistakes_are_told_in_one_line(folder, tmp_path):
    pictures = PictureList.of(folder)
    LabelJob(pictures, tmp_path, dict(fov=50), 4)
    job = LabelJob(pictures, tmp_path, dict(fov=50), 4)
    with pytest.raises(ValueError, match='rank 2 is none of 2 processes'):
        job.run(None, rank=2, world_size=2)
    for settings, shards, says in (
        (dict(fov=60), 4, 'fov was 50, now it is 60'),
        (dict(), 4, 'fov was 50, now it is None'),
        (dict(fov=50), 5, 'num_shards was 4'),
        (dict(fov=50), 0, '1 or more'),
    ):
        with pytest.raises(ValueError, match=says) as error:
            LabelJob(pictures, tmp_path, settings, shards)
        assert '\n' not in str(error.value)
    empty = tmp_path / 'empty'
    empty.mkdir()
    with pytest.raises(ValueError, match='no pictures here'):
        PictureList.of(empty)
    with pytest.raises(ValueError, match='correct the path'):
        PictureList.of(tmp_path / 'absent.txt')
    with pytest.raises(ValueError, match='correct the path'):
        shard_files(tmp_path)
    with pytest.raises(OSError, match='cannot write'):
        LabelJob(pictures, '/proc/labels', {}, 4)
