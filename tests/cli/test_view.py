"""The page of a result, from the command line."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mmd2a.apis import MeshInferencer
from mmd2a.cli import view
from mmd2a.cli.main import build_parser
from mmd2a.cli.one_line import one_line

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / 'docs' / 'images' / 'balancing.jpg'


@pytest.fixture(scope='module')
def result(tmp_path_factory):
    """What predict writes of the photograph, which is then elsewhere."""
    pytest.importorskip('mmpose')
    folder = tmp_path_factory.mktemp('result')
    photo = shutil.copy(PHOTO, folder / 'photo.jpg')
    inferencer = MeshInferencer()
    list(
        inferencer(
            photo, bboxes=[36, 60, 563, 758], pred_out_dir=str(folder / 'out')
        )
    )
    return folder


def parse(*arguments):
    return build_parser().parse_args(['view', *map(str, arguments)])


def test_the_command_writes_a_page_beside_the_result(result):
    done = subprocess.run(
        [sys.executable, '-m', 'mmd2a.cli.main', 'view', 'out/photo.json'],
        cwd=result,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=540,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert done.stdout.startswith(
        'out/photo.html: 1 picture, 1 person, 0.8 MB; open it'
    )
    assert len(done.stdout.splitlines()) == 1
    page = (result / 'out' / 'photo.html').read_text()
    assert page.startswith('<!doctype html>') and page.endswith('</html>\n')


def test_a_folder_gives_its_name_to_the_page(result, capsys, monkeypatch):
    monkeypatch.chdir(result / 'out')
    view.run(parse('.'))
    assert capsys.readouterr().out.startswith('out.html: 1 picture')
    (result / 'out' / 'out.html').unlink()


def test_a_photo_that_is_gone_is_told_and_can_be_named(
    result, capsys, tmp_path
):
    copy = tmp_path / 'copy'
    shutil.copytree(result / 'out', copy)
    moved = shutil.move(result / 'photo.jpg', tmp_path / 'photo.jpg')
    try:
        view.run(parse(copy / 'photo.npz', '--out', tmp_path / 'a.html'))
        told = capsys.readouterr().out.splitlines()
        assert len(told) == 2 and '--pictures' in told[1]
        view.run(parse(copy / 'photo.npz', '--pictures', tmp_path))
        assert len(capsys.readouterr().out.splitlines()) == 1
    finally:
        shutil.move(moved, result / 'photo.jpg')


def test_commands_of_the_pages_are_commands():
    lines = [
        shlex.split(line, comments=True)
        for page in (ROOT / 'README.md', *(ROOT / 'docs').glob('*.md'))
        for line in page.read_text().replace('\\\n', ' ').splitlines()
        if line.startswith(('mmd2a view ', 'mmd2a predict '))
    ]
    assert len(lines) > 5
    for words in lines:
        build_parser().parse_args(words[1:])


@pytest.mark.parametrize(
    ('arguments', 'says'),
    [
        (('absent',), 'there is no such file: absent'),
        ((PHOTO, '--pictures', 'absent'), 'there is no such file: absent'),
        ((PHOTO, '--every', 0), 'give 1 or more'),
        ((PHOTO, '--fps', 0), 'more than 0'),
        ((PHOTO, '--fps', 'nan'), 'more than 0'),
        ((PHOTO, '--out', 'page.pdf'), r'end it in \.html'),
        ((PHOTO, '--out', PHOTO / 'page.html'), 'with --out'),
    ],
)
def test_arguments_that_do_not_fit_are_refused_early(arguments, says):
    with pytest.raises((OSError, ValueError), match=says):
        view.check(parse(*arguments))


def test_what_cannot_be_shown_is_told_in_one_line(result, tmp_path):
    for arguments in (
        (PHOTO,),
        (tmp_path,),
        (result / 'out', '--pictures', ROOT / 'README.md'),
    ):
        with pytest.raises(OSError) as error:
            view.run(parse(*arguments))
        line = one_line(error.value)
        assert line is not None and '\n' not in line and 'To fix' in line
