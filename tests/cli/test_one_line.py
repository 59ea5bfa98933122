"""Mistakes and refusals in one line, from this process or from a worker."""

import errno
import sys

import pytest
from torch.utils.data import DataLoader

from mmd2a.cli.launch import run_tool
from mmd2a.cli.one_line import one_line
from mmd2a.cli.tool_config import UsageError
from mmd2a.datasets.errors import BadSampleError
from mmd2a.files import UnusableFileError

BAD_FILE = UnusableFileError('the file is empty', 'a.png', 'write it again')


class Raising:
    """A data set with one sample, which raises."""

    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise self.error


@pytest.mark.parametrize('workers', [0, 1])
@pytest.mark.parametrize(
    'error, expected',
    [
        (BAD_FILE, 'the file is empty: a.png. To fix: write it again'),
        (
            BadSampleError('sample 3 of 4 cannot be used: no bbox'),
            'sample 3 of 4 cannot be used: no bbox',
        ),
        (
            FileNotFoundError(errno.ENOENT, 'No such file', '/data/0.npy'),
            "No such file: '/data/0.npy'",
        ),
        (
            PermissionError(errno.EACCES, 'Permission denied', '/data'),
            "Permission denied: '/data'. Choose a place",
        ),
        (OSError(errno.ENOSPC, 'cannot write x: full. Free'), 'cannot write'),
        (ZeroDivisionError('division by zero'), None),
        (OSError(errno.EPIPE, 'Broken pipe'), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_told(error, expected, workers):
    try:
        list(DataLoader(Raising(error), num_workers=workers))
    except Exception as raised:
        line = one_line(raised)
    if expected is None:
        assert line is None
    else:
        assert line.startswith(expected) and '\n' not in line


def test_a_tool_tells_it_and_leaves_with_an_error(capsys):
    def main():
        raise UsageError('no such\nthing')

    with pytest.raises(SystemExit) as left:
        run_tool(main)
    assert left.value.code == 'error: no such thing'


def test_what_is_not_told_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run_tool(lambda: 1 // 0)


@pytest.mark.skipif(sys.platform == 'win32', reason='no such file there')
def test_a_work_folder_in_a_file_is_told(toy, tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(SystemExit, match='error: Not a directory'):
        run_tool(lambda: toy(work_dir=str(tmp_path / 'file' / 'run')))
