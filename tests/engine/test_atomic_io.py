"""A file is complete or not there."""

import errno
import os
import subprocess
import sys
import time

import pytest

from mmd2a.engine.atomic_io import remove_incomplete_files, write_atomically

WRITER = """
import os, sys, time
from mmd2a.engine.atomic_io import write_atomically

def stop(*args):
    open('reached', 'w').close()
    time.sleep(60)

setattr(os, sys.argv[1], stop)
write_atomically(b'new' * 100, 'target')
"""


def test_a_file_is_replaced_whole(tmp_path):
    target = tmp_path / 'deep' / 'target'
    write_atomically(b'old', target)
    write_atomically(b'new', target)
    assert target.read_bytes() == b'new'
    assert os.listdir(target.parent) == ['target']


def test_permissions_are_those_of_any_new_file(tmp_path):
    write_atomically(b'', tmp_path / 'ours')
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
    assert remove_incomplete_files(tmp_path) == ['.target.incomplete']
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
    with pytest.raises(OSError, match='--resume auto') as caught:
        write_atomically(b'new', target)
    assert str(target) in str(caught.value)
    assert os.strerror(code) in str(caught.value)
    assert caught.value.errno == code
    assert target.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['target']


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(OSError, match='cannot write .*file/target'):
        write_atomically(b'', tmp_path / 'file' / 'target')
