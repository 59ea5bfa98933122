"""A file is complete or not there."""

import errno
import json
import math
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from mmd2a.files import (
    remove_incomplete_files,
    whole_file,
    write_bytes,
    write_json,
)

WRITER = """
import os, sys, time
from mmd2a.files import write_bytes

def stop(*args):
    open('reached', 'w').close()
    time.sleep(60)

setattr(os, sys.argv[1], stop)
write_bytes('target', b'new' * 100)
"""


def test_a_file_is_replaced_whole(tmp_path):
    target = tmp_path / 'deep' / 'target'
    write_bytes(target, b'old')
    write_bytes(target, b'new')
    assert target.read_bytes() == b'new'
    assert os.listdir(target.parent) == ['target']


def test_permissions_are_those_of_any_new_file(tmp_path):
    write_bytes(tmp_path / 'ours', b'')
    (tmp_path / 'theirs').touch()
    assert (tmp_path / 'ours').stat().st_mode == (
        tmp_path / 'theirs'
    ).stat().st_mode


@pytest.mark.parametrize('moment', ['fsync', 'replace'])
def test_killed_at_any_moment_the_old_file_is_there(tmp_path, moment):
    target = tmp_path / 'target'
    target.write_bytes(b'old')
    process = subprocess.Popen(
        [sys.executable, '-c', WRITER, moment], cwd=tmp_path
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / 'reached').exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert target.read_bytes() == b'old'
    (left,) = remove_incomplete_files(tmp_path)
    assert left.startswith('.target.')
    assert remove_incomplete_files(tmp_path) == []


@pytest.mark.parametrize('code', [errno.ENOSPC, errno.EDQUOT, errno.EACCES])
def test_a_failed_write_names_file_reason_and_way_out(
    tmp_path, monkeypatch, code
):
    target = tmp_path / 'target'
    target.write_bytes(b'old')

    def fail(descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, 'fsync', fail)
    with pytest.raises(OSError, match='Free some space') as caught:
        write_bytes(target, b'new')
    assert str(target) in str(caught.value)
    assert os.strerror(code) in str(caught.value)
    assert caught.value.errno == code
    assert target.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['target']


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(OSError, match='cannot write .*file/target'):
        write_bytes(tmp_path / 'file' / 'target', b'')


@pytest.mark.parametrize('device', ['/dev/null', '/dev/full', '/tmp'])
def test_a_device_or_folder_is_not_replaced(device):
    mode = os.stat(device).st_mode
    with pytest.raises(OSError, match=f'cannot write {device}.* it is a '):
        write_bytes(device, b'')
    assert os.stat(device).st_mode == mode


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'link').symlink_to('folder/target')
    write_bytes(tmp_path / 'link', b'42')
    assert (tmp_path / 'link').is_symlink()
    assert (tmp_path / 'folder' / 'target').read_bytes() == b'42'


def test_a_name_that_no_file_can_have_is_named(tmp_path):
    with pytest.raises(OSError, match='cannot write .*null'):
        write_bytes(f'{tmp_path}/a\0b', b'')


def test_a_long_name_is_written(tmp_path):
    write_bytes(tmp_path / ('n' * 250), b'')
    assert os.listdir(tmp_path) == ['n' * 250]


WRITERS = """
import sys
from mmd2a.files import write_bytes
for _ in range(50):
    write_bytes('target', sys.argv[1].encode() * 100_000)
"""


def test_two_writers_of_one_file_do_not_mix(tmp_path):
    writers = [
        subprocess.Popen([sys.executable, '-c', WRITERS, who], cwd=tmp_path)
        for who in 'ab'
    ]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        if (tmp_path / 'target').exists():
            seen.add((tmp_path / 'target').read_bytes())
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen <= {b'a' * 100_000, b'b' * 100_000}
    assert os.listdir(tmp_path) == ['target']


def test_json_is_valid_also_with_nan_inside(tmp_path):
    path = tmp_path / 'new' / 'folder' / 'result.json'
    write_json(
        path,
        {
            'a': [1.5, math.nan],
            'b': {'c': -math.inf},
            'd': np.float32('nan'),
            'e': np.array([[np.inf, 2]]),
            'f': np.int64(3),
        },
    )
    assert json.loads(path.read_text(), parse_constant=pytest.fail) == {
        'a': [1.5, None],
        'b': {'c': None},
        'd': None,
        'e': [[None, 2]],
        'f': 3,
    }


def test_what_json_cannot_hold_keeps_the_old_file(tmp_path):
    path = tmp_path / 'result.json'
    write_json(path, 'old', indent=2)
    with pytest.raises(TypeError):
        write_json(path, {'a': object()})
    assert path.read_text() == '"old"\n'
    assert os.listdir(tmp_path) == ['result.json']


def test_a_file_appears_when_it_is_complete_or_stays_the_old_one(tmp_path):
    path = tmp_path / 'numbers'
    path.write_bytes(b'old')
    with pytest.raises(ZeroDivisionError), whole_file(path) as file:
        file.write(b'new')
        1 / 0  # noqa: B018
    assert path.read_bytes() == b'old'
    with whole_file(path) as file:
        file.write(b'new')
        assert path.read_bytes() == b'old'
    assert path.read_bytes() == b'new'
    with pytest.raises(OSError, match='cannot write .*: it is a folder'):
        with whole_file(tmp_path):
            pass
    assert [each.name for each in tmp_path.iterdir()] == ['numbers']
