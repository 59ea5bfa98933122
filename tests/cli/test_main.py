"""The command works from another folder, and mistakes are one line."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmd2a.cli import predict, show_weights
from mmd2a.cli.main import build_parser
from mmd2a.cli.one_line import one_line
from mmd2a.files import read_json, read_npz

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / 'docs' / 'images' / 'balancing.jpg'
BOX = ('36.63', '60.69', '563.71', '758.04')


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, '-m', 'mmd2a.cli.main', *map(str, arguments)],
        cwd=folder,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=540,
    )


def parse(*arguments):
    return build_parser().parse_args(list(map(str, arguments)))


def test_a_photograph_becomes_four_files(tmp_path):
    pytest.importorskip('mmpose')
    pytest.importorskip('trimesh')
    done = run(tmp_path, 'predict', PHOTO, '--bbox', *BOX, '--out', 'out')
    assert done.returncode == 0, done.stderr
    # Nothing but what was found, what was written, what was assumed.
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and not done.stderr, done.stdout + done.stderr
    assert '1 person' in lines[0] and 'm away, sigma' in lines[0]
    assert '--fov' in lines[2]
    names = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert names == [
        'balancing.glb',
        'balancing.json',
        'balancing.npz',
        'balancing_mesh.jpg',
    ]
    [person] = read_json(tmp_path / 'out' / 'balancing.json')['people']
    assert person['camera_source'] == 'assumed'
    arrays = read_npz(tmp_path / 'out' / 'balancing.npz')
    import trimesh

    scene = trimesh.load(tmp_path / 'out' / 'balancing.glb')
    # Upright in a world whose y is upwards, before its camera.
    low, high = scene.bounds
    mesh = arrays['vertices'][0] + arrays['transl'][0]
    assert high[1] == pytest.approx(-mesh[:, 1].min(), abs=1e-4)
    assert high[2] == pytest.approx(-mesh[:, 2].min(), abs=1e-4)


def test_mistakes_are_told_before_anything_heavy_is_imported(tmp_path):
    done = run(tmp_path, 'predict', 'absent.jpg')
    assert done.returncode == 1 and not done.stdout
    assert done.stderr == (
        'error: there is no such file: absent.jpg. To fix: correct the path\n'
    )
    code = (
        'import sys, mmd2a.cli.main as m\n'
        'try: m.main(["predict", "absent.jpg"])\n'
        'except SystemExit: pass\n'
        'print("torch" in sys.modules, "mmpose" in sys.modules)'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ['False', 'False']


@pytest.mark.parametrize(
    ('arguments', 'says'),
    [
        (('--fov', 200), 'less than 180'),
        (('--fov', 60, '--camera', 1, 1, 1, 1), 'give one of them'),
        (('--boxes', 'absent.json'), 'absent.json. To fix'),
        (('--batch-size', 0), 'give 1 or more'),
        (('--out', PHOTO / 'out'), 'with --out'),
    ],
)
def test_arguments_that_do_not_fit_are_refused_early(arguments, says):
    with pytest.raises((OSError, ValueError), match=says):
        predict.check(parse('predict', PHOTO, *arguments))


@pytest.mark.parametrize(
    ('arguments', 'says'),
    [
        (('--model', 'd2a_hmr_hrnet'), 'there are d2a_hmr_mobilenet-v2'),
        (('--model', 'mobilenet-v2-imagenet'), 'are initial weights'),
        (('--model', ROOT / 'configs/d2a_hmr_hrnet.py'), '--weights'),
        (('--weights', 'a.pth'), 'goes with a config'),
    ],
)
def test_models_that_are_not_there_are_told_in_one_line(
    arguments, says, tmp_path
):
    out = tmp_path / 'out'
    with pytest.raises(Exception, match=says) as error:
        predict.run(parse('predict', PHOTO, '--out', out, *arguments))
    line = one_line(error.value)
    assert line is not None and '\n' not in line
    assert not out.exists()


def test_weights_are_listed_and_told(capsys):
    show_weights.run(argparse.Namespace(name=None))
    listed = capsys.readouterr().out
    assert 'd2a_hmr_mobilenet-v2  16.4 MB  Apache-2.0' in listed
    show_weights.run(parse('weights', 'd2a_hmr_mobilenet-v2'))
    told = capsys.readouterr().out
    for word in ('trained on: SyntheticPeople', 'MPJPE', 'limit:'):
        assert word in told
