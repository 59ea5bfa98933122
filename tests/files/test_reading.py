"""Text, JSON and YAML of unknown origin, and what only looks like a file."""

import os
import pickle
import resource
import subprocess
import sys
import tracemalloc

import pytest

from mmd2a.files import (
    UnusableFileError,
    read_bytes,
    read_json,
    read_text,
    read_yaml,
)


def odd_path(kind, folder):
    """A path that is no regular file."""
    path = folder / 'odd'
    if kind == 'pipe':
        os.mkfifo(path)
    elif kind == 'folder':
        path.mkdir()
    elif kind == 'link to itself':
        path.symlink_to(path)
    elif kind == 'link to nowhere':
        path.symlink_to(folder / 'nowhere')
    elif kind == 'device':
        path.symlink_to('/dev/zero')
    elif kind == 'too long':
        path = folder / ('n' * 300)
    elif kind == 'NUL':
        path = f'{folder}/odd\0'
    elif kind == 'surrogate':
        path = f'{folder}/odd\udfff'
    elif kind == 'empty':
        path = ''
    return path


@pytest.mark.parametrize(
    'kind',
    [
        'absent',
        'pipe',
        'folder',
        'link to itself',
        'link to nowhere',
        'device',
        'too long',
        'NUL',
        'surrogate',
        'empty',
    ],
)
def test_only_regular_files_are_read(tmp_path, kind):
    path = odd_path(kind, tmp_path)
    before = len(os.listdir('/proc/self/fd'))
    with pytest.raises(UnusableFileError, match='To fix') as caught:
        read_bytes(path)
    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value, ValueError)
    assert os.fspath(path).encode('ascii', 'backslashreplace').decode()[
        -20:
    ].replace('\0', '\\x00') in str(caught.value)
    assert len(os.listdir('/proc/self/fd')) == before


def test_an_error_survives_the_way_out_of_a_worker():
    error = UnusableFileError('the file is empty', 'a.json', 'write it')
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert str(type(error)(str(error))) == str(error)


def test_a_link_to_a_file_is_followed(tmp_path):
    (tmp_path / 'file').write_bytes(b'42')
    (tmp_path / 'link').symlink_to('file')
    assert read_bytes(tmp_path / 'link') == b'42'


def test_a_file_beyond_the_limit_is_not_read(tmp_path):
    path = tmp_path / 'big'
    with open(path, 'wb') as file:
        file.truncate(2**40)  # Takes no space on the disk.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnusableFileError, match='1,099,511,627,776 bytes'):
        read_bytes(path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    assert grown < 50_000  # kB


def test_a_file_longer_than_it_states_is_not_read_on():
    # Files of /proc state no size at all.
    with pytest.raises(UnusableFileError, match='too many bytes'):
        read_bytes('/proc/self/maps', max_bytes=100)


def test_a_small_file_takes_little_memory_whatever_is_allowed(tmp_path):
    (tmp_path / 'a').write_bytes(b'a' * 1000)
    tracemalloc.start()
    try:
        data = read_bytes(tmp_path / 'a', 2**31)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert data == b'a' * 1000
    assert peak < 2**20


def test_json_is_read_with_and_without_byte_order_mark(tmp_path):
    path = tmp_path / 'a.json'
    for start in ('', '\ufeff'):
        path.write_text(start + '{"ä": [1, 2.5, null]}', encoding='utf-8')
        assert read_json(path, top=dict) == {'ä': [1, 2.5, None]}


@pytest.mark.parametrize(
    'text, reason',
    [
        (b'', 'empty'),
        (b' \n', 'empty'),
        (bytes(100), 'not JSON'),
        (b'{"a": 1', 'not JSON'),
        (b'\xff\xfe{\x00}\x00', 'not UTF-8'),
        (b'{"a": "\xc3"}', 'not UTF-8'),
        (b'[1]', 'must hold an object .* not list'),
        (b'"text"', 'must hold an object .* not str'),
        (b'null', 'must hold an object .* not NoneType'),
        (b'{"a": 1, "b": 2, "a": 3}', "'a' stands twice"),
        (b'{"a": NaN}', 'NaN'),
        (b'{"a": [-Infinity]}', 'Infinity'),
        (b'[' * 100_000, 'too deep'),
        (b'{"a":' * 100_000, 'too deep'),
        (b'{"a": ' + b'9' * 5000 + b'}', 'not JSON'),
        (pickle.dumps({'a': 1}), 'not UTF-8'),
    ],
)
def test_what_is_no_json_is_named(tmp_path, text, reason):
    path = tmp_path / 'a.json'
    path.write_bytes(text)
    with pytest.raises(UnusableFileError, match=rf'{reason}.*a\.json.*fix'):
        read_json(path, top=dict)


def test_nan_is_read_where_it_has_a_meaning(tmp_path):
    path = tmp_path / 'a.json'
    path.write_text('[NaN]')
    (value,) = read_json(path, top=list, allow_nan=True)
    assert value != value


def test_plain_yaml_is_read(tmp_path):
    path = tmp_path / 'a.yaml'
    path.write_text('a: [1, 2.5, text]\nb: {c: null}\n')
    assert read_yaml(path) == {'a': [1, 2.5, 'text'], 'b': {'c': None}}


@pytest.mark.parametrize(
    'text, reason',
    [
        ('!!python/object/apply:os.mkdir [canary]', 'not plain YAML'),
        ('a: !!python/name:os.system', 'not plain YAML'),
        ('a: &a [1]\nb: *a', 'refers to itself'),
        ('a: [', 'not plain YAML'),
        ('[' * 5000, 'too deep'),
    ],
)
def test_yaml_that_runs_or_unfolds_is_refused(
    tmp_path, monkeypatch, text, reason
):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'a.yaml'
    path.write_text(text)
    with pytest.raises(UnusableFileError, match=rf'{reason}.*a\.yaml'):
        read_yaml(path)
    assert os.listdir(tmp_path) == ['a.yaml']


def test_text_has_to_be_utf8(tmp_path):
    (tmp_path / 'a.txt').write_bytes(b'caf\xe9')
    with pytest.raises(UnusableFileError, match=r'at byte 3\): .*a\.txt'):
        read_text(tmp_path / 'a.txt')


def test_importing_the_room_is_light():
    code = (
        'import sys, mmd2a.files; print([m for m in sys.modules if m in '
        '("torch", "cv2", "mmcv", "mmengine")])'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True
    )
    assert done.stdout.strip() == '[]', done.stderr
