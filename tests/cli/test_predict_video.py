"""A video through the command."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mmd2a.cli import predict
from mmd2a.cli.main import build_parser
from mmd2a.files import read_npz

PHOTO = Path(__file__).parents[2] / 'docs' / 'images' / 'balancing.jpg'


@pytest.fixture
def video(tmp_path):
    image = cv2.imread(str(PHOTO))[:800:4, :592:4]
    path = tmp_path / 'walk.avi'
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter.fourcc(*'MJPG'), 10, (200, 200)
    )
    for number in range(5):
        frame = np.zeros((200, 200, 3), np.uint8)
        frame[:, 9 * number : 9 * number + 148] = image
        writer.write(frame)
    writer.release()
    return path


def test_a_video_becomes_three_files_and_is_smoothed(video, tmp_path, capsys):
    pytest.importorskip('mmpose')
    meshes = {}
    for out, options in (('smooth', []), ('raw', ['--no-smooth'])):
        given = ['predict', video, '--out', tmp_path / out, *options]
        args = build_parser().parse_args(list(map(str, given)))
        predict.check(args)
        predict.run(args)
        names = sorted(path.name for path in (tmp_path / out).iterdir())
        assert names == ['walk.json', 'walk.npz', 'walk_mesh.webm']
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith('1 person in 5 pictures')
        arrays = read_npz(tmp_path / out / 'walk.npz')
        meshes[out] = arrays['vertices'] + arrays['transl'][:, None]
    jerk = {
        name: np.abs(np.diff(mesh, 3, axis=0)).mean()
        for name, mesh in meshes.items()
    }
    assert jerk['smooth'] < 0.95 * jerk['raw']


def test_a_webcam_is_no_file():
    predict.check(build_parser().parse_args(['predict', 'webcam']))
